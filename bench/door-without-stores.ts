import type { PaulaConfig } from '../domain/config.ts';
import type { Keys } from '../domain/keys.ts';
import { compileTrackingPlan } from '../domain/tracking-plan.ts';
import { hashes, randomId } from '../lambdas/adapters/hashes.ts';
import { userAgentReader } from '../lambdas/adapters/user-agent.ts';
import { admissionDeps } from '../lambdas/collect/admit-request.ts';
import type { CollectDeps } from '../lambdas/collect/deps.ts';
import { receiptTerms } from '../lambdas/collect/receipt-terms.ts';

const nothing = async (): Promise<undefined> => undefined;

/**
 * What the door's use cases reach, without tables, stream and metrics: nobody is linked, nothing was chosen before, all is
 * taken and forgotten. Who wants to see something of it puts a part of his own in its place.
 */
export function doorWithoutStores(config: PaulaConfig, keys: Keys): CollectDeps {
  const plan = compileTrackingPlan(config);
  return {
    ...hashes,
    plan,
    admission: admissionDeps(plan, keys, hashes.hmac, userAgentReader()),
    keys,
    randomId,
    country: () => undefined,
    terms: receiptTerms(config, 'eu-central-1', hashes.sha256),
    verifyIdentity: nothing,
    links: {
      read: async () => new Map(),
      hasProfile: async () => false,
      link: async () => true,
      unlink: nothing,
      noteConsent: nothing,
      forgetProfile: nothing,
    },
    receipts: { latest: nothing, recent: async () => [], append: nothing },
    put: async () => [],
    count: () => undefined,
  };
}
