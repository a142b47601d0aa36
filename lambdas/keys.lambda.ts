import middy from '@middy/core';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import config from '../paula.config.ts';
import { secrets } from './adapters/clients.ts';
import { answerDeploy } from './adapters/deploy-answer.ts';
import { keysDocument, randomKey } from './adapters/keys-document.ts';
import { KeysEnv } from './env.ts';
import { keys } from './keys.ts';

const env = KeysEnv.parse(process.env);
const deps = { config, ...keysDocument(secrets(), env.KEYS_SECRET_ID), random: randomKey, answer: answerDeploy };

/** Custom resource behind every deploy: makes the keys that are missing. */
export const handler = middy<CloudFormationCustomResourceEvent, void>().handler((event) => keys(event, deps));
