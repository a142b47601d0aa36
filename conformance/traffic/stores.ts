import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { KinesisClient } from '@aws-sdk/client-kinesis';
import { S3Client } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** The stores of one platform, which speak the AWS protocols wherever they are. */
export type Stores = {
  dynamodb: DynamoDBClient;
  kinesis: KinesisClient;
  s3: S3Client;
  tables: { profiles: string; consents: string; control: string };
  stream: string;
  bucket: string;
  /** Lets the clients' connections go. */
  close: () => void;
};

/** Opens the stores of a platform whose engines answer at these addresses and check no signature. */
export function openStores(
  endpoints: Readonly<Record<'dynamodb' | 'kinesis' | 's3', string>>,
  region: string,
  names: Pick<Stores, 'tables' | 'stream' | 'bucket'>,
): Stores {
  const connection = { region, credentials: { accessKeyId: '000000000000', secretAccessKey: 'local' } };
  const dynamodb = new DynamoDBClient({ ...connection, endpoint: endpoints.dynamodb });
  // Over HTTP/1.1: no emulator speaks the HTTP/2 that this client would choose.
  const kinesis = new KinesisClient({
    ...connection,
    endpoint: endpoints.kinesis,
    requestHandler: new NodeHttpHandler(),
  });
  const s3 = new S3Client({ ...connection, endpoint: endpoints.s3, forcePathStyle: true });
  const close = (): void => {
    for (const client of [dynamodb, kinesis, s3]) client.destroy();
  };
  return { dynamodb, kinesis, s3, ...names, close };
}
