// What a returning customer has saved, as the customer session of the page allows: a choice of payment methods, and the
// box by which a new one is saved.
'use strict';

/** What a tab is called: a type, or what is saved. */
const labelOf = (type) => (type === 'saved' ? say('Saved') : methodOf(type).label);

/** The features that a customer session grants to the payment Element. customer: what the API says of the customer. */
function savedFeatures(customer) {
  const { payment_element: granted = {} } = customer ? customer.customer_session.components : {};
  return granted.features || {};
}

/** The payment methods that may be shown, of the types that the payment takes. */
function savedMethods(customer, types) {
  const features = savedFeatures(customer);
  if (features.payment_method_redisplay !== 'enabled') return [];
  const filters = features.payment_method_allow_redisplay_filters || ['always'];
  return customer.payment_methods
    .filter((one) => types.includes(one.type) && filters.includes(one.allow_redisplay))
    .slice(0, features.payment_method_redisplay_limit || 3);
}

function savedLabel(method) {
  const details = method[method.type] || {};
  const known = { amex: 'American Express', jcb: 'JCB', mastercard: 'Mastercard', unionpay: 'UnionPay', visa: 'Visa' };
  const name = method.type === 'card' ? known[details.brand] || details.brand : methodOf(method.type).label;
  return details.last4 ? say('{name} ending in {last4}', { name, last4: details.last4 }) : name;
}

function savedPart(methods, changed) {
  let chosen = methods[0];
  const rows = methods.map((method) => {
    const input = node('input', { type: 'radio', name: 'saved', value: method.id, id: method.id });
    input.checked = method === chosen;
    input.addEventListener('change', () => {
      chosen = method;
      changed();
    });
    return node('label', { class: 'Saved', for: method.id }, input, savedLabel(method));
  });
  return {
    node: node(
      'fieldset',
      { class: 'SavedList' },
      node('legend', { class: 'Label' }, say('Saved payment methods')),
      ...rows,
    ),
    empty: false,
    complete: true,
    get chosen() {
      return chosen;
    },
    values: () => ({ saved: chosen.id, method: {} }),
    focus: () => rows[methods.indexOf(chosen)].querySelector('input').focus(),
  };
}

/** The box that saves a new payment method; nothing where the session does not grant it. */
function saveBox(features) {
  if (features.payment_method_save !== 'enabled') return { nodes: [], values: () => ({}) };
  const input = node('input', { type: 'checkbox', name: 'savePaymentMethod', id: 'payment-savePaymentMethod' });
  const label = say('Save my payment details for future purchases');
  return {
    nodes: [node('label', { class: 'Saved', for: input.id }, input, label)],
    values: () => ({
      redisplay: input.checked ? 'always' : 'limited',
      ...(input.checked && features.payment_method_save_usage && { usage: features.payment_method_save_usage }),
    }),
  };
}
