import { describe, expect, it } from '@jest/globals';
import { certificateRefusal, hostRefusal, partitionOf } from '../../domain/collector-hosts.ts';
import { parseConfig, stageOf } from '../../domain/config.ts';
import { EU_REGIONS } from '../../domain/region.ts';
import config from '../../paula.config.ts';

const CERTIFICATE = 'arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-0000-4444-8888-0123456789ab';
const HOST = { name: 'c.lindenblatt.example', certificateArn: CERTIFICATE };
const SOVEREIGN = CERTIFICATE.replace('arn:aws:acm:eu-central-1', 'arn:aws-eusc:acm:eusc-de-east-1');

type Hosts = Record<string, { name: string; certificateArn: string }>;

/** The demo configuration with hosts in some of its stages. */
function withHosts(hosts: { prod?: Hosts; dev?: Hosts }): unknown {
  const copy = structuredClone(config);
  for (const stage of ['prod', 'dev'] as const) Object.assign(copy.stages[stage] ?? {}, { hosts: hosts[stage] ?? {} });
  return copy;
}

describe('a host and the pages that it may serve', () => {
  it.each([
    ['c.brand.example', ['https://www.brand.example']],
    ['c.brand.example', ['https://brand.example']],
    ['c.brand.example', ['https://elsewhere.test', 'https://de.shop.brand.example:8443']],
    ['data.brand.co.uk', ['https://www.brand.co.uk']],
    ['c.shop.brand.example', ['https://shop.brand.example']],
  ])('%s serves %j', (name, origins) => {
    expect(hostRefusal({ ...HOST, name }, origins, origins)).toBeUndefined();
  });

  it.each([
    ['c.brand.example', ['https://www.other.example'], /brand\.example or below it.*third-party/],
    ['c.brand.example', ['https://www.mybrand.example'], /third-party/],
    ['c.other.co.uk', ['https://www.brand.co.uk'], /third-party/],
    ['c.shop.brand.example', ['https://www.brand.example'], /third-party/],
    ['c.brand.example', ['http://localhost:3000'], /third-party/],
    ['brand.example', ['https://www.brand.example'], /no label below a domain/],
    ['www.brand.example', ['https://www.brand.example'], /is the host of a page/],
  ])('%s does not serve %j', (name, origins, refusal) => {
    expect(hostRefusal({ ...HOST, name }, origins, origins)).toMatch(refusal);
  });

  it('is no page of another site', () => {
    const origins = ['https://www.brand.example'];
    expect(
      hostRefusal({ ...HOST, name: 'blog.brand.example' }, origins, [...origins, 'https://blog.brand.example']),
    ).toMatch(/is the host of a page/);
  });
});

describe('a certificate', () => {
  it('serves in its own region and partition', () => {
    for (const region of EU_REGIONS) {
      const certificateArn = `arn:${partitionOf(region)}:acm:${region}:111122223333:certificate/x`;
      expect(certificateRefusal({ ...HOST, certificateArn }, region)).toBeUndefined();
    }
    expect(EU_REGIONS.filter((region) => partitionOf(region) !== 'aws')).toEqual(['eusc-de-east-1']);
  });

  it.each([
    [CERTIFICATE, 'eu-west-1', 'the certificate is in eu-central-1; the stage stands in eu-west-1'],
    [CERTIFICATE, 'eusc-de-east-1', 'the stage stands in eusc-de-east-1'],
    [SOVEREIGN, 'eu-central-1', 'the certificate is in eusc-de-east-1'],
    [
      CERTIFICATE.replace('arn:aws:', 'arn:aws-eusc:'),
      'eu-central-1',
      'partition "aws-eusc"; eu-central-1 is in "aws"',
    ],
    [SOVEREIGN.replace('aws-eusc', 'aws'), 'eusc-de-east-1', 'partition "aws"; eusc-de-east-1 is in "aws-eusc"'],
  ] as const)('%s does not serve in %s', (certificateArn, region, refusal) => {
    expect(certificateRefusal({ ...HOST, certificateArn }, region)).toContain(refusal);
  });
});

describe('stages.STAGE.hosts of the configuration', () => {
  it('takes a host under the domain of its site', () => {
    const parsed = parseConfig(withHosts({ prod: { shop: HOST } }));
    expect(stageOf(parsed, 'prod').hosts).toEqual({ shop: HOST });
    expect(stageOf(parsed, 'dev').hosts).toEqual({});
  });

  it.each([
    ['a site that is none', { prod: { blog: HOST } }, /stages\.prod\.hosts\.blog: "blog" is not a configured site/],
    ['a foreign site', { prod: { portal: HOST } }, /stages\.prod\.hosts\.portal\.name: no origin of the site is/],
    [
      'another region’s certificate',
      { prod: { shop: { ...HOST, certificateArn: CERTIFICATE.replace('eu-central-1', 'us-east-1') } } },
      /stages\.prod\.hosts\.shop\.certificateArn: the certificate is in us-east-1/,
    ],
    [
      'no certificate of ACM',
      { prod: { shop: { ...HOST, certificateArn: 'arn:aws:iam::111122223333:server-certificate/x' } } },
      /certificateArn: must be the ARN of a certificate in ACM/,
    ],
    [
      'an address',
      { prod: { shop: { ...HOST, name: 'https://c.lindenblatt.example' } } },
      /hosts\.shop\.name: must be a host name/,
    ],
    [
      'a host of two stages',
      { dev: { shop: HOST }, prod: { shop: HOST } },
      /stages\.prod\.hosts\.shop\.name: "c\.lindenblatt\.example" belongs to stages\.dev\.hosts\.shop already/,
    ],
  ])('refuses %s', (_, hosts, message) => {
    expect(() => parseConfig(withHosts(hosts))).toThrow(message);
  });

  it('holds a stage that is moved to another region to the same rule', () => {
    const parsed = parseConfig(withHosts({ prod: { shop: HOST } }));
    expect(stageOf(parsed, 'prod', 'eu-central-1').hosts).toEqual({ shop: HOST });
    expect(() => stageOf(parsed, 'prod', 'eusc-de-east-1')).toThrow(
      'stages.prod.hosts.shop.certificateArn: the certificate is in eu-central-1; the stage stands in eusc-de-east-1',
    );
    expect(stageOf(parsed, 'dev', 'eusc-de-east-1').region).toBe('eusc-de-east-1');
  });
});
