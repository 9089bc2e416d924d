// Types whose customers accept a mandate when they pay, and are told so; and how the API is told. The frames have this,
// and the page's script.
'use strict';

const MANDATES = new Set([
  'acss_debit',
  'au_becs_debit',
  'bacs_debit',
  'nz_bank_account',
  'payto',
  'sepa_debit',
  'us_bank_account',
]);
const ACCEPTED = { customer_acceptance: { type: 'online', online: { infer_from_client: true } } };
