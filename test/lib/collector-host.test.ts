import { beforeAll, describe, expect, it } from '@jest/globals';
import type { Template } from '../../lib/region-pin.ts';
import { resourcesOf, type Synthesised, synthesise } from './synthesised.ts';

const CERTIFICATE = 'arn:aws:acm:eu-central-1:111122223333:certificate/0a1b2c3d-0000-4444-8888-0123456789ab';
const HOSTS = {
  shop: { name: 'c.lindenblatt.example', certificateArn: CERTIFICATE },
  portal: { name: 'count.beauty-portal.example', certificateArn: CERTIFICATE.replace('0a1b', '9a9b') },
};

let withHosts: Synthesised;
let without: Synthesised;

beforeAll(() => {
  withHosts = synthesise('prod', { stage: { hosts: HOSTS } });
  without = synthesise('prod');
});

const apiOf = ({ line }: Synthesised) => resourcesOf(line, 'AWS::ApiGatewayV2::Api')[0]?.[1].Properties;
const outputsOf = ({ Outputs = {} }: Template) =>
  Object.entries(Outputs as Record<string, { Value: unknown; Description?: string }>);

describe('a stage with collector hosts', () => {
  it('has a regional domain with TLS 1.2 and the certificate for each', () => {
    const domains = resourcesOf(withHosts.line, 'AWS::ApiGatewayV2::DomainName').map(
      ([, { Properties }]) => Properties,
    );
    expect(domains).toEqual(
      Object.values(HOSTS).map(({ name, certificateArn }) => ({
        DomainName: name,
        DomainNameConfigurations: [
          { CertificateArn: certificateArn, EndpointType: 'REGIONAL', SecurityPolicy: 'TLS_1_2' },
        ],
      })),
    );
  });

  it('maps each host to the door, without a path in front of the routes', () => {
    const [[api] = []] = resourcesOf(withHosts.line, 'AWS::ApiGatewayV2::Api');
    const [[stage] = []] = resourcesOf(withHosts.line, 'AWS::ApiGatewayV2::Stage');
    const domains = resourcesOf(withHosts.line, 'AWS::ApiGatewayV2::DomainName').map(([id]) => id);
    const mappings = resourcesOf(withHosts.line, 'AWS::ApiGatewayV2::ApiMapping').map(([, mapping]) => mapping);
    expect(mappings.map(({ Properties }) => Properties)).toEqual(
      domains.map((id) => ({ ApiId: { Ref: api }, DomainName: { Ref: id }, Stage: '$default' })),
    );
    // The name alone would let CloudFormation make the mapping before the stage.
    for (const mapping of mappings) expect(mapping).toMatchObject({ DependsOn: expect.arrayContaining([stage]) });
  });

  it('says which DNS record to create for each', () => {
    const domains = resourcesOf(withHosts.line, 'AWS::ApiGatewayV2::DomainName');
    for (const [id, { Properties }] of domains) {
      const [, output] = outputsOf(withHosts.line).find(([, { Value }]) => JSON.stringify(Value).includes(id)) ?? [];
      expect(output?.Value).toEqual({
        'Fn::Join': [
          '',
          [
            `${Properties.DomainName} CNAME `,
            { 'Fn::GetAtt': [id, 'RegionalDomainName'] },
            ' (Route 53: alias A, hosted zone ',
            { 'Fn::GetAtt': [id, 'RegionalHostedZoneId'] },
            ')',
          ],
        ],
      });
    }
    expect(domains).toHaveLength(2);
  });

  it('answers under no other name', () => {
    expect(apiOf(withHosts)?.DisableExecuteApiEndpoint).toBe(true);
    expect(outputsOf(withHosts.line).filter(([, { Description }]) => Description === 'The door')).toEqual([]);
  });
});

describe('a stage without', () => {
  it('answers under the name that API Gateway gives it', () => {
    for (const type of ['AWS::ApiGatewayV2::DomainName', 'AWS::ApiGatewayV2::ApiMapping'])
      expect(resourcesOf(without.line, type)).toEqual([]);
    expect(apiOf(without)).not.toHaveProperty('DisableExecuteApiEndpoint');
    expect(outputsOf(without.line).filter(([, { Description }]) => Description === 'The door')).toHaveLength(1);
  });
});
