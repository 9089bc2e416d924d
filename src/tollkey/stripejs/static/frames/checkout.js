// What the controller does for a Checkout Session on a shop's own page: shows, changes and pays it. What was typed into
// the frames beside it is told to the API here. How the API answers is the form that the page hands on.
'use strict';

const place = (given) => (given ? { name: given.name, address: given.address } : { name: '' });
/** What an action sends to the API. Nothing given takes back what was there. */
const CHANGES = {
  applyPromotionCode: (code) => ({ promotion_code: code }),
  removePromotionCode: () => ({ promotion_code: '' }),
  updateShippingAddress: (given) => ({ shipping_address: place(given) }),
  updateBillingAddress: (given) => ({ billing_address: place(given) }),
  updatePhoneNumber: (phone) => ({ phone: phone || '' }),
  updateEmail: (email) => ({ email: email || '' }),
  updateIndividualName: (name) => ({ individual_name: name || '' }),
  updateBusinessName: (name) => ({ business_name: name || '' }),
  updateLineItemQuantity: ({ lineItem, quantity }) => ({
    updated_line_item_quantity: { line_item_id: lineItem, quantity },
  }),
  updateTaxIdInfo: (info) => ({
    tax_id: info ? info.taxId : { type: 'eu_vat', value: '' },
    business_name: info ? info.businessName : '',
  }),
  updateShippingOption: (option) => ({ shipping_rate: option }),
};
const CODES = { email_invalid: 'invalidEmail', tax_id_invalid: 'invalidTaxId' };

/** An error as the page is told of it. */
function failed({ type, code, message, param, decline_code: declineCode = null }, action = '') {
  const card = { message, code: 'paymentFailed', paymentFailed: { declineCode } };
  const wrong = action === 'applyPromotionCode' && param === 'promotion_code' ? 'invalidCode' : null;
  return { type: 'error', error: type === 'card_error' ? card : { message, code: CODES[code] || wrong } };
}

function askSession({ secret, locale }, step, params = {}) {
  if (!/^cs_\w+_secret_\w+$/.test(secret)) {
    return { error: { message: 'A Checkout Session is shown with its client secret, or with a promise of it.' } };
  }
  const path = `/v1/payment_pages/${secret.split('_secret_')[0]}${step}`;
  return callApi('POST', path, { ...params, client_secret: secret, browser_locale: locale });
}

/** What the page names of the customer, as changes. */
function detailsOf({ email, phoneNumber, billingAddress, shippingAddress }) {
  return {
    ...(email !== undefined && CHANGES.updateEmail(email)),
    ...(phoneNumber !== undefined && CHANGES.updatePhoneNumber(phoneNumber)),
    ...(billingAddress !== undefined && CHANGES.updateBillingAddress(billingAddress)),
    ...(shippingAddress !== undefined && CHANGES.updateShippingAddress(shippingAddress)),
  };
}

/** What was typed into address and contact Elements, where it is complete. parts: their frames, by name. */
function typedDetails(parts) {
  const told = Object.entries(parts).map(([name, frame]) => [name, window.parent[frame].tollkeyFields.told()]);
  const value = Object.fromEntries(told.filter(([, one]) => one.complete).map(([name, one]) => [name, one.value]));
  return detailsOf({
    email: value.ContactDetails && value.ContactDetails.email,
    billingAddress: value.BillingAddress,
    shippingAddress: value.ShippingAddress,
  });
}

const filled = (values) => Object.fromEntries(Object.entries(values).filter(([, value]) => value));

/** The payment method: the one that the page names, or what was typed. */
async function methodOf({ needs_method: needed, checkout }, { paymentMethod }, fields) {
  if (paymentMethod || !needed) return { id: paymentMethod };
  const { email, phoneNumber: phone, billingAddress } = checkout;
  const known = filled({ email, phone, name: billingAddress && billingAddress.name });
  if (billingAddress) known.address = filled(billingAddress.address);
  const made = await withTyped({ billing_details: known }, fields);
  return made.error ? made : callApi('POST', '/v1/payment_methods', made);
}

const DEEDS = {
  async load(about, { defaults }) {
    const found = await askSession(about, '/init');
    if (found.error) return { problem: failed(found.error) };
    const more = detailsOf(defaults);
    const changed = Object.keys(more).length ? await askSession(about, '', more) : found;
    return { page: changed.error ? found : changed };
  },

  async change(about, { action, value }) {
    const found = await askSession(about, '', CHANGES[action](value));
    return found.error ? { problem: failed(found.error, action) } : { page: found };
  },

  async confirm(about, { args, parts, fields }) {
    const express = args.expressCheckoutConfirmEvent;
    let page = await askSession(about, '/init');
    const details = { ...typedDetails(parts), ...detailsOf(args) };
    if (!page.error && express && !page.checkout.email) details.email = express.billingDetails.email;
    if (!page.error && details.email === page.checkout.email) delete details.email;
    if (!page.error && Object.keys(details).length) page = await askSession(about, '', details);
    if (page.error) return { problem: failed(page.error) };
    const method = await methodOf(page, args, fields);
    if (method.error) return { page, problem: failed(method.error) };
    const paid = await askSession(about, '/confirm', {
      payment_method: method.id,
      expected_amount: page.checkout.lineItems.length ? page.checkout.total.total.minorUnitsAmount : undefined,
      return_url: args.returnUrl,
      save_payment_method: args.savePaymentMethod,
    });
    if (!paid.error) return { page: paid };
    const { problem, page: now } = await DEEDS.load(about, { defaults: {} });
    return { page: now, problem: problem || failed(paid.error) };
  },
};
