const TOKENS = {
  bank_account: 'bank_account',
  pii: 'pii',
  account: 'account',
  person: 'person',
  cvc_update: 'cvc_update',
};

/** Tokens, sources, payment methods and confirmation tokens. */
class Tokens {
  constructor(stripe) {
    this.stripe = stripe;
    this.controller = stripe._controller;
  }

  async token(kind, data = {}) {
    let params = {};
    let fields = null;
    if (isElement(kind)) {
      if (!KINDS[kind._kind].token || kind._kind === 'cardCvc' || kind._kind === 'cardExpiry') {
        refuse(`You cannot create a token from an Element of type ${kind._kind}.`);
      }
      params = { [kind._kind === 'iban' ? 'bank_account' : 'card']: plain(data) || {} };
      fields = { frames: kind._group._framesWith(kind), at: 'card' };
    } else if (kind === 'cvc_update') {
      if (!isElement(data) || data._kind !== 'cardCvc')
        refuse("createToken('cvc_update', element) needs a cardCvc Element.");
      fields = { frames: [data._name], at: 'cvc_update' };
    } else if (TOKENS[kind]) {
      if (kind === 'pii' && data.personal_id_number) data = { id_number: data.personal_id_number };
      params = { [kind]: plain(data) };
    } else {
      refuse(
        `You provided an unknown token type: ${kind}. Pass an Element, or one of ${Object.keys(TOKENS).join(', ')}.` +
          ' Card data is only taken from an Element.',
      );
    }
    const answer = await this.controller.call('POST', '/v1/tokens', params, fields);
    return answer.error ? answer : { token: answer };
  }

  async source(element, data) {
    const given = isElement(element) ? data : element;
    if (!given || typeof given !== 'object') refuse('createSource() needs the data of a source.');
    const params = { type: 'card', ...plain(given) };
    const fields = isElement(element) ? { frames: element._group._framesWith(element), at: 'source' } : null;
    if (!fields && params.type === 'card' && !params.token) refuse('A source of a card is made from an Element.');
    const answer = await this.controller.call('POST', '/v1/sources', params, fields);
    return answer.error ? answer : { source: answer };
  }

  async retrieveSource({ id, client_secret: secret } = {}) {
    if (!id || !secret) refuse('retrieveSource() needs the id and the client_secret of a source.');
    const answer = await this.controller.call('GET', `/v1/sources/${encodeURIComponent(id)}`, {
      client_secret: secret,
    });
    return answer.error ? answer : { source: answer };
  }

  /** `createPaymentMethod`: from data, from an Element with a type, or from Elements. */
  async method(given, ...older) {
    let found;
    if (typeof given === 'string') {
      found = isElement(older[0])
        ? methodData(given, { ...(older[1] || {}), [given]: older[0] })
        : methodData(given, { ...(older[0] || {}), ...(older[0] && older[0][given] ? {} : { [given]: older[0] }) });
    } else if (given && given.elements instanceof Elements) {
      const fields = { ...given.elements._paymentFrames('stripe.createPaymentMethod'), at: 'method' };
      found = { made: plain(given.params) || {}, fields };
    } else if (given && isElement(given.element)) {
      const type = given.element._kind === 'iban' ? 'sepa_debit' : 'card';
      found = methodData(type, { ...given.params, [type]: given.element });
    } else if (given && given.type) {
      found = methodData(given.type, given);
    } else {
      refuse('createPaymentMethod() needs a type with its data, an element, or elements.');
    }
    const answer = await this.controller.call('POST', '/v1/payment_methods', found.made, found.fields);
    return answer.error ? answer : { paymentMethod: answer };
  }

  /** `createConfirmationToken`: from Elements, or from one with a card. */
  async confirmation(given = {}) {
    const params = plain(given.params) || {};
    let fields;
    if (given.elements instanceof Elements) {
      const { setupFutureUsage, setup_future_usage: older = setupFutureUsage } = given.elements._options;
      fields = {
        ...given.elements._paymentFrames('stripe.createConfirmationToken'),
        at: 'payment_method_data',
        ships: true,
      };
      if (older) params.setup_future_usage = older;
    } else if (isElement(given.element)) {
      fields = { frames: given.element._group._framesWith(given.element), at: 'payment_method_data' };
      params.payment_method_data = { type: 'card', ...params.payment_method_data };
    } else {
      refuse('createConfirmationToken() needs elements or an element.');
    }
    const answer = await this.controller.call('POST', '/v1/confirmation_tokens', params, fields);
    return answer.error ? answer : { confirmationToken: answer };
  }
}
