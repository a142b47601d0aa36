import { defineConfig } from './domain/config.ts';

const analysed = ['measurement', 'profile'] as const;

/** The demo brand: a cosmetics line that sells in its own shop and advertises on a beauty portal. */
export default defineConfig({
  brand: {
    name: 'Lindenblatt Cosmetics',
    controller: 'Lindenblatt Cosmetics (demo), Musterstrasse 1, 10115 Berlin, Germany',
    contact: 'privacy@lindenblatt.example',
  },

  stages: {
    local: {
      region: 'eu-central-1',
      removal: 'destroy',
      logRetentionDays: 1,
      accessLogs: false,
      shards: 2,
      profileWindowSeconds: 0.5,
      landWindowSeconds: 3,
      planEverySeconds: 15,
      segmentQuietSeconds: 5,
      throttle: { rate: 1000, burst: 2000 },
      scanLimitBytes: 10_000_000_000,
    },
    dev: {
      removal: 'destroy',
      logRetentionDays: 7,
      accessLogs: true,
      shards: 1,
      profileWindowSeconds: 1,
      landWindowSeconds: 60,
      planEverySeconds: 900,
      segmentQuietSeconds: 1800,
      throttle: { rate: 100, burst: 200 },
      scanLimitBytes: 10_000_000_000,
    },
    prod: {
      removal: 'retain',
      logRetentionDays: 30,
      accessLogs: false,
      shards: 2,
      profileWindowSeconds: 1,
      landWindowSeconds: 300,
      planEverySeconds: 900,
      segmentQuietSeconds: 3600,
      throttle: { rate: 2000, burst: 4000 },
      scanLimitBytes: 200_000_000_000,
    },
  },

  sites: {
    shop: {
      origins: ['https://www.lindenblatt.example', 'http://localhost:3000'],
      clickHosts: ['www.lindenblatt.example'],
      anonymousCounting: true,
    },
    portal: {
      origins: ['https://www.beauty-portal.example'],
      clickHosts: ['www.lindenblatt.example'],
      anonymousCounting: true,
    },
  },

  pixelPath: '/p.gif',

  purposes: {
    storage: { legalBasis: 'consent', retentionDays: 395, noticeVersion: '2026-11' },
    measurement: { legalBasis: 'consent', retentionDays: 395, noticeVersion: '2026-11' },
    profile: { legalBasis: 'consent', retentionDays: 395, noticeVersion: '2026-11' },
    personalisation: { legalBasis: 'consent', retentionDays: 395, noticeVersion: '2026-11' },
    activation: { legalBasis: 'consent', retentionDays: 180, noticeVersion: '2026-11' },
    identity_merge: { legalBasis: 'consent', retentionDays: 395, noticeVersion: '2026-11' },
    email: { legalBasis: 'consent', retentionDays: 395, noticeVersion: '2026-11' },
    email_tracking: { legalBasis: 'consent', retentionDays: 395, noticeVersion: '2026-11' },
  },

  trackingPlan: {
    fields: {
      click_id: { type: 'text', purposes: ['measurement'] },
      campaign: { type: 'text', purposes: [...analysed] },
      placement: { type: 'text', purposes: [...analysed] },
      creative: { type: 'text', purposes: [...analysed] },
      product_id: { type: 'text', purposes: [...analysed] },
      category: { type: 'text', purposes: [...analysed] },
      order_id: { type: 'text', purposes: [...analysed] },
      quantity: { type: 'integer', purposes: [...analysed] },
      value: { type: 'decimal', purposes: [...analysed] },
      currency: { type: 'currency', purposes: [...analysed] },
      products: { type: 'products', purposes: [...analysed] },
      page_path: { type: 'text', maxLength: 300, purposes: ['measurement'] },
      referrer_host: { type: 'text', purposes: ['measurement'] },
      utm_source: { type: 'text', purposes: [...analysed] },
      utm_medium: { type: 'text', purposes: [...analysed] },
      utm_campaign: { type: 'text', purposes: [...analysed] },
      device_class: { type: 'text', purposes: [...analysed] },
      browser: { type: 'text', purposes: ['measurement'] },
      os: { type: 'text', purposes: ['measurement'] },
      country: { type: 'text', purposes: ['measurement'] },
      skin_type: { type: 'text', maxLength: 30, purposes: ['profile'] },
      coupon: { type: 'text', maxLength: 40, purposes: ['measurement'] },
    },
    events: plan({
      'Ad Impression': { adds: [] },
      'Ad Clicked': { adds: [] },
      'Page Viewed': { adds: ['category'] },
      'Product Viewed': {
        adds: ['product_id', 'category', 'value', 'currency', 'skin_type'],
        required: ['product_id'],
      },
      'Product Added': { adds: ['product_id', 'category', 'quantity', 'value', 'currency'], required: ['product_id'] },
      'Product Removed': { adds: ['product_id', 'category', 'quantity'], required: ['product_id'] },
      'Order Completed': {
        adds: ['order_id', 'product_id', 'category', 'quantity', 'value', 'currency', 'products', 'coupon'],
        required: ['order_id'],
      },
      'Order Refunded': { adds: ['order_id', 'product_id', 'category', 'quantity', 'value', 'currency', 'products'] },
      'Order Cancelled': {
        adds: ['order_id', 'product_id', 'category', 'quantity', 'value', 'currency', 'products'],
        required: ['order_id', 'value'],
      },
      'Video Started': { adds: [] },
      'Video 25': { adds: [] },
      'Video 50': { adds: [] },
      'Video 75': { adds: [] },
      'Video Completed': { adds: [] },
      'Email Opened': { adds: [] },
      'Email Link Clicked': { adds: [] },
      Identified: { adds: ['skin_type'] },
    }),
  },

  sources: {
    web: { kind: 'browser', site: 'shop' },
    portal: {
      kind: 'browser',
      site: 'portal',
      events: ['Ad Impression', 'Ad Clicked', 'Video Started', 'Video 25', 'Video 50', 'Video 75', 'Video Completed'],
    },
    shop_backend: { kind: 'server', site: 'shop' },
    history: {
      kind: 'import',
      site: 'shop',
      events: ['Order Completed', 'Order Refunded', 'Order Cancelled', 'Identified'],
    },
  },

  rawRetentionDays: 30,
});

/** Every event may say where it happened, what advertising led to it and on what kind of device. */
function plan(events: Record<string, { adds: string[]; required?: string[] }>) {
  const everywhere = [
    'click_id',
    'campaign',
    'placement',
    'creative',
    'product_id',
    'page_path',
    'referrer_host',
    'utm_source',
    'utm_medium',
    'utm_campaign',
    'device_class',
    'browser',
    'os',
    'country',
  ];
  return Object.fromEntries(
    Object.entries(events).map(([name, { adds, required }]) => [
      name,
      { fields: [...new Set([...everywhere, ...adds])], required: required ?? [] },
    ]),
  );
}
