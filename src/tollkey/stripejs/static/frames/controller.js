// The controller: calls the API for the page, and adds to a call what was typed into the frames beside it. These have
// the same origin as this one, so that what was typed passes through no other.
'use strict';

const GONE =
  'We could not retrieve data from the specified Element. Please make sure the Element you are attempting to use is' +
  ' still mounted.';
const ALLOWED = new RegExp(
  '^/v1/(tokens|payment_methods|sources|confirmation_tokens|payment_intents|setup_intents|elements|payment_pages' +
    '|consumers|3ds2)(/[A-Za-z0-9_-]+)*$',
);

/** What was typed into the frames of these names, put together; `{error}` when a field is not complete. */
function typedInto(names) {
  const all = {};
  for (const name of names) {
    let values;
    try {
      values = /^__privateStripeFrame\d+$/.test(name) && window.parent[name].tollkeyFields.values();
    } catch {
      values = null;
    }
    if (!values) return { error: { type: 'invalid_request_error', message: GONE } };
    if (values.error) return values;
    for (const [part, value] of Object.entries(values)) {
      const known = Object.entries(value && typeof value === 'object' ? value : {}).filter(
        ([, one]) => one !== undefined,
      );
      if (typeof value !== 'object') all[part] = value;
      else all[part] = { ...all[part], ...Object.fromEntries(known) };
    }
  }
  return all;
}

/** Details with those of the later sources in place of earlier ones. */
function merged(...sources) {
  const all = {};
  for (const { address, ...rest } of sources.filter(Boolean)) {
    Object.assign(all, rest);
    if (address) all.address = { ...all.address, ...address };
  }
  return all;
}

const postalOf = (typed) => typed.postal && { address: { postal_code: typed.postal } };

/** A payment method of what was typed; what the page says of it comes first. */
function methodWith(given = {}, typed) {
  const own = typed.method || { card: typed.card };
  const billing = merged(own.billing_details, postalOf(typed), typed.billing, given.billing_details);
  return { ...own, ...given, ...(typed.card && { card: typed.card }), billing_details: billing };
}

/** Put what was typed where it belongs. */
const PLACES = {
  card: (params, typed) => ({
    ...params,
    ...(typed.token && { bank_account: { ...params.bank_account, ...typed.token.bank_account } }),
    ...(typed.card && { card: { ...(typed.postal && { address_zip: typed.postal }), ...params.card, ...typed.card } }),
  }),
  source: (params, typed) => ({ ...params, ...own(typed), owner: merged(postalOf(typed), params.owner) }),
  method: (params, typed) => methodWith(params, typed),
  payment_method_data: (params, typed) =>
    typed.saved ? { ...params, payment_method: typed.saved } : newMethodOf(params, typed),
  cvc_update: (params, typed) => ({ ...params, cvc_update: { cvc: typed.card.cvc } }),
};

/** A payment with a new payment method. redisplay, usage: whether it is shown, and charged, again. */
function newMethodOf(params, typed) {
  const more = typed.redisplay ? { allow_redisplay: typed.redisplay } : {};
  return {
    ...(typed.usage && { setup_future_usage: typed.usage }),
    ...(typed.shipping && { shipping: typed.shipping }),
    ...(typed.mandate && { mandate_data: ACCEPTED }),
    ...params,
    ...(typed.options && { payment_method_options: { ...typed.options, ...params.payment_method_options } }),
    payment_method_data: { ...more, ...methodWith(params.payment_method_data, typed) },
  };
}

function own(typed) {
  return typed.card ? { card: typed.card } : typed.method;
}

async function withTyped(params, { frames, at, ships }) {
  const typed = typedInto(frames);
  if (typed.error) return typed;
  if (!ships) {
    delete typed.shipping;
    delete typed.usage;
  }
  if (at !== 'cvc_token') return PLACES[at](params, typed);
  const token = await callApi('POST', '/v1/tokens', { cvc_update: { cvc: typed.card.cvc } });
  if (token.error) return token;
  return { ...params, payment_method_options: { card: { cvc_token: token.id } } };
}

begin({
  async checkout({ deed, ...data }, answer) {
    try {
      answer(await DEEDS[deed](data, data));
    } catch {
      answer({ problem: failed({ message: GONE }) }); // an Element was taken out of the page meanwhile
    }
  },
  async call({ method, path, params, fields }, answer) {
    if (!ALLOWED.test(path)) {
      answer({ error: { type: 'invalid_request_error', message: `Stripe.js does not call ${path}.` } });
      return;
    }
    if (fields && method !== 'POST') {
      answer({ error: { type: 'invalid_request_error', message: 'What was typed is posted, and in no address.' } });
      return;
    }
    const sent = fields ? await withTyped(params, fields) : params;
    answer(sent.error ? sent : await callApi(method, path, sent));
  },
});
