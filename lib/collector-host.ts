import { CfnOutput } from 'aws-cdk-lib';
import {
  ApiMapping,
  DomainName,
  EndpointType,
  type HttpApi,
  type HttpStage,
  SecurityPolicy,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Construct } from 'constructs';
import type { CollectorHost as CollectorHostConfig } from '../domain/collector-hosts.ts';

export interface CollectorHostProps {
  readonly site: string;
  readonly host: CollectorHostConfig;
  readonly api: HttpApi;
  readonly stage: HttpStage;
}

/**
 * A name of the brand's under which the door answers. The DNS record is the brand's own to make, since its zone is often
 * elsewhere; the output says which. Cookies need nothing here: without a Domain attribute they belong to this very host.
 */
export class CollectorHost extends Construct {
  constructor(scope: Construct, id: string, { site, host, api, stage }: CollectorHostProps) {
    super(scope, id);
    const domain = new DomainName(this, 'Domain', {
      domainName: host.name,
      certificate: Certificate.fromCertificateArn(this, 'Certificate', host.certificateArn),
      endpointType: EndpointType.REGIONAL,
      securityPolicy: SecurityPolicy.TLS_1_2,
    });
    new ApiMapping(this, 'Mapping', { api, domainName: domain, stage });
    new CfnOutput(this, 'Record', {
      value: `${host.name} CNAME ${domain.regionalDomainName} (Route 53: alias A, hosted zone ${domain.regionalHostedZoneId})`,
      description: `DNS record to create for the collector host of site ${site}`,
    });
  }
}
