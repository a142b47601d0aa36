import { expect, test } from '@jest/globals';
import { personalFieldOf } from '../../domain/personal-fields.ts';
import { STANDARD_FIELDS } from '../../domain/standard-fields.ts';
import config from '../../paula.config.ts';

test.each([
  [
    'name',
    ['name', 'vorname', 'nachname', 'first_name', 'firstname', 'last_name', 'surname', 'customer_name', 'full_name'],
  ],
  ['email', ['email', 'e_mail', 'mail', 'customer_email', 'email_sha256', 'email_address']],
  ['phone', ['phone', 'phone_number', 'telefon', 'mobil', 'handynummer', 'fax']],
  ['address', ['address', 'street', 'shipping_address', 'hausnummer']],
  ['bank_account', ['iban', 'card_number', 'kontonummer']],
  ['age', ['age', 'alter', 'birthday', 'birth_year', 'date_of_birth', 'age_under_16', 'geburtsdatum', 'minor']],
  ['ip_address', ['ip', 'client_ip', 'ip_address']],
  ['user_agent', ['user_agent', 'useragent']],
])('%s is promised by %j', (kind, names) => {
  for (const name of names) expect({ name, kind: personalFieldOf(name) }).toEqual({ name, kind });
});

test.each([
  ...['product_name', 'campaign_name', 'filename', 'brand', 'email_campaign', 'mailing', 'page', 'package', 'usage'],
  ...['image', 'voltage', 'shipping_method', 'phone_case_color', 'ip_rating', 'skin_type', 'coupon', 'street_team'],
  ...Object.keys(STANDARD_FIELDS),
  ...Object.keys(config.trackingPlan.fields),
])('%s promises none', (name) => expect(personalFieldOf(name)).toBeUndefined());
