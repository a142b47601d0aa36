import * as z from 'zod';
import { HostName } from './host-name.ts';
import type { EuRegion } from './region.ts';

/** ACM's ARN: partition, region and account, which the checks below read. */
const CERTIFICATE_ARN = /^arn:([a-z-]+):acm:([a-z0-9-]+):\d{12}:certificate\/[A-Za-z0-9-]+$/;

/** A collector host of a site: the name that pages call, and the certificate that stands for it. */
export const CollectorHost = z.strictObject({
  name: HostName,
  certificateArn: z
    .string()
    .regex(CERTIFICATE_ARN, 'must be the ARN of a certificate in ACM: arn:PARTITION:acm:REGION:ACCOUNT:certificate/ID'),
});

export type CollectorHost = z.infer<typeof CollectorHost>;

/** The one region of the list that is not in AWS's commercial partition. */
const SOVEREIGN_REGION = 'eusc-de-east-1' satisfies EuRegion;

/** The partition that a region's ARNs begin with. */
export const partitionOf = (region: EuRegion): string => (region === SOVEREIGN_REGION ? 'aws-eusc' : 'aws');

/**
 * Why a certificate cannot serve in a region, or nothing where it can: a regional endpoint takes a certificate of its own
 * region only, and a region has one partition.
 */
export function certificateRefusal({ certificateArn }: CollectorHost, region: EuRegion): string | undefined {
  const [, partition, place] = CERTIFICATE_ARN.exec(certificateArn) ?? [];
  if (place !== region) return `the certificate is in ${place}; the stage stands in ${region} and takes its own only`;
  if (partition !== partitionOf(region))
    return `the certificate is in partition "${partition}"; ${region} is in "${partitionOf(region)}"`;
  return undefined;
}

/**
 * Why a host cannot be the collector of a site's pages, or nothing where it can. A browser keeps cookies first-party where
 * host and page share the registrable domain. Which part that is says only the Public Suffix List, a moving file of
 * thousands of entries; so the rule is one that needs no list and is a little stricter: what follows the host's first
 * label must be a page's host, or a domain that the page's host is under. `c.brand.example` serves `www.brand.example`,
 * `brand.example` and `de.shop.brand.example`; it does not serve `www.brand.test`, nor `c.brand.co.uk` `other.co.uk`.
 * `origins` are the site’s, `pages` those of all sites, which the name must not be either.
 */
export function hostRefusal(
  { name }: CollectorHost,
  origins: readonly string[],
  pages: readonly string[],
): string | undefined {
  if (pages.map(pageHostOf).includes(name))
    return `"${name}" is the host of a page; a collector needs a name of its own`;
  const domain = name.slice(name.indexOf('.') + 1);
  if (!domain.includes('.')) return `"${name}" has no label below a domain of the brand's, such as c.brand.example`;
  if (origins.map(pageHostOf).some((page) => page === domain || page.endsWith(`.${domain}`))) return undefined;
  return `no origin of the site is ${domain} or below it, so its cookies would be third-party and blocked`;
}

const pageHostOf = (origin: string): string => origin.replace(/^https?:\/\//, '').replace(/:\d+$/, '');
