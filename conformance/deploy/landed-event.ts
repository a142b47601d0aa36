import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import config from '../../paula.config.ts';
import type { AwsCalls } from '../engines/aws-calls.ts';
import type { DeployedStage } from './deployed-stage.ts';

/** Beside the window of `land`: a cold start, and a moment of a loaded machine. */
const LAND_GRACE_MS = 30_000;
const LOOK_EVERY_MS = 250;

/** Asks the door for its pixel; answers with the HTTP status. Without a consent it is an anonymous count. */
export function askForPixel({ url, host }: DeployedStage['door']): Promise<number> {
  const [site] = Object.keys(config.sites);
  return new Promise((resolve, reject) => {
    const call = request(`${url}${config.pixelPath}?e=impression&site=${site}&c=conformance`, { headers: { host } });
    call.once('error', reject);
    call.once('response', (response) => {
      response.resume();
      response.once('end', () => resolve(response.statusCode ?? 0));
    });
    call.end();
  });
}

/** Makes sure that an event has gone all the way from the door to the lake's landing; throws where it does not arrive. */
export async function landedEvent({ call }: AwsCalls, stage: DeployedStage, windowSeconds: number): Promise<void> {
  const status = await askForPixel(stage.door);
  if (status !== 200) throw new Error(`the pixel answered ${status}`);
  const until = Date.now() + windowSeconds * 1000 + LAND_GRACE_MS;
  while (Date.now() < until) {
    const { KeyCount } = await call('s3', 'list_objects_v2', { Bucket: stage.bucketName, Prefix: 'landing/' });
    if (KeyCount > 0) return;
    await pause(LOOK_EVERY_MS);
  }
  throw new Error('no event has landed');
}
