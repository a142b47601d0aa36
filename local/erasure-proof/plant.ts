import { KinesisClient, PutRecordsCommand } from '@aws-sdk/client-kinesis';
import { CreateMultipartUploadCommand, PutObjectCommand, S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import type { Keys } from '../../domain/keys.ts';
import { hashes } from '../../lambdas/adapters/hashes.ts';
import { deviceIdOf } from '../../lambdas/browser.ts';
import { newPersonId } from '../../lambdas/collect/person.ts';
import type { BrandServer } from './brand-server.ts';
import type { ProofBrowser } from './browser.ts';
import type { Canary } from './person.ts';

const CONSENT = { consent: { categoryPreferences: { measurement: true, profile: true, activation: true } } };
const query = (parameters: Record<string, string>): string => new URLSearchParams(parameters).toString();

/**
 * Sends a customer's ids through every door of the platform: consent, pixel, click, messages, a batch, identify, a decision,
 * the server's orders and its receipt, and what the door rejects.
 */
export async function plant(
  { customer, email, orders }: Canary,
  browser: ProofBrowser,
  server: BrandServer,
  keys: Keys,
): Promise<void> {
  const [ofPixel = '', ofServer = '', ofBatch = ''] = orders;
  await browser.consent();
  const writeKey = keys.writeKeys.web?.[0];
  const advert = { site: 'shop', c: 'autumn', pl: 'top', cr: 'banner-1', p: 'serum-30' };
  await browser.send('GET', `/p.gif?${query({ e: 'impression', ...advert, unknown: email })}`);
  await browser.send(
    'GET',
    `/p.gif?${query({ e: 'cart', site: 'shop', p: 'serum-30', q: '1', v: '29.90', cu: 'EUR' })}`,
  );
  await browser.send(
    'GET',
    `/p.gif?${query({ e: 'order', site: 'shop', o: ofPixel, p: 'oil-50', v: '9.90', cu: 'EUR' })}`,
  );
  await browser.send('GET', `/click?${query({ ...advert, to: 'https://www.lindenblatt.example/serum-30' })}`);
  await browser.send('POST', '/v1/track', {
    writeKey,
    event: 'Product Viewed',
    anonymousId: customer,
    properties: { product_id: 'serum-30', category: `face ${email}`, email },
    context: { page: { url: `https://www.lindenblatt.example/p?email=${email}` }, traits: { email } },
  });
  await browser.send('POST', '/v1/batch', {
    writeKey,
    batch: [
      { type: 'page', name: email, properties: { category: 'face' } },
      {
        type: 'track',
        event: 'Order Completed',
        messageId: ofBatch,
        properties: { order_id: ofBatch, revenue: '5', currency: 'EUR', product_id: 'oil-50' },
      },
      { type: 'track', event: email, properties: { order_id: ofBatch } },
    ],
  });
  const identityToken = await server.identityToken(customer, 'shop');
  await browser.send('POST', '/v1/identify', {
    writeKey,
    userId: customer,
    traits: { email },
    context: { identityToken },
  });
  await server.send('shop_backend', '/v1/identify', { userId: customer, traits: { email }, context: CONSENT });
  await server.send('shop_backend', '/v1/track', orderMessage(customer, email, ofServer));
  await server.send(
    'shop_backend',
    '/v1/track',
    { event: 'No Such Event', userId: customer, properties: { email } },
    400,
  );
  // After the orders: it is the last thing that she did, so she is in the audience of those who left a cart.
  await browser.send('GET', `/p.gif?${query({ e: 'cart', site: 'shop', p: 'mask-1', q: '1', v: '4.90', cu: 'EUR' })}`);
  await browser.send('GET', `/v1/decision?${query({ product: 'serum-30', campaign: 'autumn' })}`);
}

/** A message that a server may well send again days later. `at` is the time of the order, ISO 8601. */
export const orderMessage = (customer: string, email: string, order: string, at?: string): Record<string, unknown> => ({
  event: 'Order Completed',
  userId: customer,
  messageId: order,
  ...(at !== undefined && { timestamp: at }),
  properties: {
    order_id: order,
    revenue: '29.90',
    currency: 'EUR',
    email,
    products: [{ product_id: 'serum-30', quantity: 1, price: '29.90' }],
  },
  context: CONSENT,
});

/** The engines of a running platform, for what no door lets in. */
export type Engines = { kinesis: string; s3: string };

/**
 * What lies beside the doors: records that no consumer can read, which end in the on-failure destination with their whole
 * batch, an analyst's result, and an upload in parts that nobody has finished.
 */
export async function plantBesides(
  { customer, orders }: Canary,
  cookie: string,
  keys: Keys,
  engines: Engines,
  region: string,
): Promise<void> {
  const device = deviceIdOf(cookie, hashes);
  const person = newPersonId(customer, { keys, hmac: hashes.hmac });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const requestHandler = new NodeHttpHandler();
  const kinesis = new KinesisClient({ endpoint: engines.kinesis, region, credentials, requestHandler });
  const texts = [
    `{"kind":"event","device_id":"${device}","person_id":"${person}","order_id":"${orders[0]}"`,
    JSON.stringify({ kind: 'unheard-of', device_id: device, order_id: orders[0], received_at: Date.now() }),
  ];
  await kinesis.send(
    new PutRecordsCommand({
      StreamName: 'paula-events',
      Records: texts.map((text) => ({ PartitionKey: device, Data: Buffer.from(text) })),
    }),
  );
  kinesis.destroy();
  const s3 = new S3Client({ endpoint: engines.s3, region, credentials, forcePathStyle: true });
  const Bucket = 'paula-lake';
  await s3.send(
    new PutObjectCommand({ Bucket, Key: 'athena/result.csv', Body: `device_id,order_id\n${device},${orders[0]}\n` }),
  );
  const upload = { Bucket, Key: 'athena/unfinished.csv' };
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...upload, Metadata: { subject: person } }));
  await s3.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: `${device},${orders[0]}` }));
  s3.destroy();
}
