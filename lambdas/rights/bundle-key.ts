import { BUNDLES } from '../../domain/stores.ts';

/** The two files of a bundle. */
export type BundleFormat = 'json' | 'csv';

/** Where a file of a request's bundle stands in the bucket; the id says nothing of the person. */
export const bundleKey = (request: string, format: BundleFormat): string => `${BUNDLES}${request}/data.${format}.gz`;
