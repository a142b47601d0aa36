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
    storage: {
      legalBasis: 'consent',
      retentionDays: 395,
      notice: {
        version: '2026-11',
        text: {
          de: 'Wir legen in Ihrem Browser ein Cookie mit einer zufälligen Nummer ab und lesen es bei Ihren nächsten Besuchen. Ohne diese Erlaubnis erkennen wir Ihren Browser nicht wieder, und auch die übrigen Zwecke wirken in ihm nicht.',
          en: 'We place a cookie with a random number in your browser and read it on your next visits. Without this permission we do not recognise your browser, and the other purposes have no effect in it either.',
        },
      },
    },
    measurement: {
      legalBasis: 'consent',
      retentionDays: 395,
      notice: {
        version: '2026-11',
        text: {
          de: 'Wir zählen, welche Anzeigen und Seiten Sie sehen und was Sie bestellen, um zu erfahren, welche Werbung sich lohnt. Ihren Namen und Ihre IP-Adresse speichern wir dabei nicht.',
          en: 'We count which adverts and pages you see and what you order, to learn which advertising pays off. We do not store your name or your IP address for this.',
        },
      },
    },
    profile: {
      legalBasis: 'consent',
      retentionDays: 395,
      notice: {
        version: '2026-11',
        text: {
          de: 'Wir fassen Ihre Besuche und Bestellungen zu einem Profil zusammen, zum Beispiel: welche Produkte Sie ansehen, ob ein Warenkorb liegen geblieben ist. Daraus bilden wir Gruppen von Kundinnen und Kunden.',
          en: 'We put your visits and orders together in a profile, for example which products you look at and whether a basket was left behind. From profiles we form groups of customers.',
        },
      },
    },
    personalisation: {
      legalBasis: 'consent',
      retentionDays: 395,
      notice: {
        version: '2026-11',
        text: {
          de: 'Mit Ihrem Profil wählen wir aus, was Sie auf unseren Seiten sehen, und zeigen Ihnen zum Beispiel keine Werbung für etwas, das Sie schon gekauft haben. Die Preise sind für alle gleich.',
          en: 'We use your profile to choose what you see on our pages, and for example do not advertise what you have already bought. Prices are the same for everyone.',
        },
      },
    },
    activation: {
      legalBasis: 'consent',
      retentionDays: 180,
      notice: {
        version: '2026-11',
        text: {
          de: 'Wir teilen Werbepartnern mit, zu welcher Gruppe Ihr Browser oder Ihr Kundenkonto gehört, damit Sie dort passende Anzeigen sehen. An wen, steht in der Liste der Empfänger.',
          en: 'We tell advertising partners which group your browser or your customer account belongs to, so that you see matching adverts there. The list of recipients says who they are.',
        },
      },
    },
    identity_merge: {
      legalBasis: 'consent',
      retentionDays: 395,
      notice: {
        version: '2026-11',
        text: {
          de: 'Wenn Sie sich anmelden, verbinden wir das Profil dieses Browsers mit Ihrem Kundenkonto. Widerrufen Sie, wird die Verbindung sofort wieder getrennt.',
          en: 'When you log in, we join the profile of this browser with your customer account. When you withdraw, they are separated again at once.',
        },
      },
    },
    email: {
      legalBasis: 'consent',
      retentionDays: 395,
      notice: {
        version: '2026-11',
        text: {
          de: 'Wir senden Ihnen Werbung für unsere Produkte per E-Mail, sobald Sie Ihre Adresse über einen Link bestätigt haben. Jede E-Mail enthält einen Link zum Abbestellen.',
          en: 'We send you advertising for our products by e-mail once you have confirmed your address by a link. Every mail holds a link to unsubscribe.',
        },
      },
    },
    email_tracking: {
      legalBasis: 'consent',
      retentionDays: 395,
      notice: {
        version: '2026-11',
        text: {
          de: 'Wir erfassen, ob Sie unsere E-Mails öffnen und welche Links darin Sie anklicken. Ohne diese Erlaubnis erhalten Sie die E-Mails ohne Zählung.',
          en: 'We record whether you open our mails and which links in them you click. Without this permission you get the mails without counting.',
        },
      },
    },
  },

  decisions: { suppressProductDays: 180, suppressCategoryDays: 14 },
  campaigns: {
    winter: {
      caps: [
        { count: 2, windowHours: 24 },
        { count: 6, windowHours: 168 },
      ],
    },
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
