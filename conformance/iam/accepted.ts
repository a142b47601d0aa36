/** A finding of the check that stands for a reason. */
export type Acceptance = {
  /** `wide`: a resource or action is left open. `unused`: nothing that is known to be called uses the grant. */
  finding: 'wide' | 'unused';
  /** Path of the role below the stage. */
  role: string;
  actions: readonly string[];
  /** As the check prints it: service and resource, names as logical ids. */
  resources: readonly string[];
  reason: string;
};

/** The metadata of the database: the catalogue, the database, and its tables. */
const CATALOGUE = ['glue:catalog', 'glue:database/LakeDatabase', 'glue:table/LakeDatabase/*'];

/** What may stay although the check finds it; an entry that nothing needs any more is a finding itself. */
export const ACCEPTED: readonly Acceptance[] = [
  {
    finding: 'wide',
    role: 'Line/Plan/Role',
    actions: [
      'logs:CreateLogDelivery',
      'logs:DeleteLogDelivery',
      'logs:DescribeLogGroups',
      'logs:DescribeResourcePolicies',
      'logs:GetLogDelivery',
      'logs:ListLogDeliveries',
      'logs:PutResourcePolicy',
      'logs:UpdateLogDelivery',
    ],
    resources: ['*'],
    reason: 'CloudWatch’s log delivery API, by which Step Functions writes its log, takes no resource.',
  },
  {
    finding: 'wide',
    role: 'Line/Plan/Role',
    actions: ['cloudwatch:PutMetricData'],
    resources: ['*'],
    reason: 'PutMetricData takes no resource; a condition holds it to the stage’s own namespace.',
  },
  {
    finding: 'unused',
    role: 'Line/Plan/Role',
    actions: ['glue:GetPartition', 'glue:GetPartitions', 'glue:GetTables'],
    resources: CATALOGUE,
    reason:
      'Athena’s planner decides what it asks the catalogue; Step Functions’ policy for the integration has them, and they ' +
      'read the description of this database’s own tables only. Landing’s partitions are projected, so a first real account ' +
      'may show in CloudTrail that they are never called: then they go.',
  },
  {
    finding: 'unused',
    role: 'Line/Door/Rights/Role',
    actions: ['s3:ListBucket'],
    resources: ['s3:LakeBucket'],
    reason: 'Nobody lists; without the right to, S3 answers "forbidden" for a bundle that has expired.',
  },
];
