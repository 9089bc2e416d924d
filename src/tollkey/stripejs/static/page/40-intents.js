const SECRETS = {
  payment_intent: { prefix: 'pi', path: '/v1/payment_intents', result: 'paymentIntent' },
  setup_intent: { prefix: 'seti', path: '/v1/setup_intents', result: 'setupIntent' },
};

/** The kind of intent that a client secret belongs to; null for anything else. */
function kindOf(secret) {
  const found = /^(pi|seti)_[^_]+_secret_[^_]+$/.exec(secret);
  return found ? (found[1] === 'pi' ? 'payment_intent' : 'setup_intent') : null;
}

function checkSecret(call, secret, kind) {
  if (kindOf(secret) !== kind) {
    refuse(
      `Invalid value for stripe.${call} intent secret: value should be a client secret of the form` +
        ` \${id}_secret_\${secret}. You specified: ${secret}.`,
    );
  }
  return `${SECRETS[kind].path}/${secret.split('_secret_')[0]}`;
}

function result(kind, answer) {
  return answer.error ? { error: answer.error } : { [SECRETS[kind].result]: answer };
}

const isElement = (value) => value instanceof Element;

/** The data of a payment method without the Elements in it, and the frames that have the rest. */
function methodData(kind, data) {
  const { [kind]: inner, ...rest } = data;
  const made = { type: kind, ...plain(rest) };
  if (isElement(inner)) {
    return { made, fields: { frames: inner._group._framesWith(inner), at: 'method' } };
  }
  if (inner !== undefined) made[kind] = plain(inner);
  return { made, fields: null };
}

/** Confirmations, next steps and retrievals of PaymentIntents and SetupIntents. */
class Intents {
  constructor(stripe) {
    this.stripe = stripe;
    this.controller = stripe._controller;
  }

  async retrieve(call, secret, kind) {
    const path = checkSecret(call, secret, kind);
    return result(kind, await this.controller.call('GET', path, { client_secret: secret, is_stripe_sdk: false }));
  }

  /** `confirmCardPayment` and its kind: method is the type of payment method that the call is named after. */
  async confirm(call, kind, method, secret, data = {}, options = {}) {
    const path = checkSecret(call, secret, kind);
    const { payment_method: chosen, ...rest } = data || {};
    const params = {
      ...plain(rest),
      client_secret: secret,
      use_stripe_sdk: true,
      expected_payment_method_type: method,
    };
    let fields = null;
    if (typeof chosen === 'string') {
      params.payment_method = chosen;
    } else if (chosen || (method !== 'card' && rest.payment_method === undefined)) {
      const found = methodData(method, chosen || {});
      params.payment_method_data = found.made;
      fields = found.fields && { ...found.fields, at: 'payment_method_data' };
    }
    if (
      params.payment_method_options &&
      data.payment_method_options.card &&
      isElement(data.payment_method_options.card.cvc)
    ) {
      const cvc = data.payment_method_options.card.cvc;
      params.payment_method_options = { card: {} };
      fields = { frames: [cvc._name], at: 'cvc_token' };
    }
    if (MANDATES.has(method) && !params.mandate_data && !params.mandate) params.mandate_data = ACCEPTED;
    const answer = await this.controller.call('POST', `${path}/confirm`, params, fields);
    if (answer.error || (options && options.handleActions === false)) return result(kind, answer);
    return this.follow(kind, answer, secret, { redirects: true });
  }

  /** `confirmPayment` and `confirmSetup`: with what was typed into Elements. */
  async confirmElements(call, kind, { elements, clientSecret, confirmParams, redirect = 'always' } = {}) {
    if (elements !== undefined && !(elements instanceof Elements)) {
      refuse(`Invalid value for stripe.${call}(): elements should be what stripe.elements() returned.`);
    }
    const secret = clientSecret || (elements && elements._options.clientSecret);
    const path = checkSecret(call, secret, kind);
    const params = { ...plain(confirmParams), client_secret: secret, use_stripe_sdk: true };
    if (!['always', 'if_required'].includes(redirect)) {
      refuse(`Invalid value for stripe.${call}(): redirect should be 'always' or 'if_required'.`);
    }
    if (redirect === 'always' && !params.return_url) {
      refuse(`Missing value for stripe.${call}(): confirmParams.return_url should be a url.`);
    }
    const typed = elements && !params.payment_method && !params.confirmation_token;
    const fields = typed
      ? { ...elements._paymentFrames(`stripe.${call}`), at: 'payment_method_data', ships: kind === 'payment_intent' }
      : null;
    const answer = await this.controller.call('POST', `${path}/confirm`, params, fields);
    if (answer.error) return result(kind, answer);
    const found = await this.follow(kind, answer, secret, { redirects: true });
    if (found.error || redirect === 'if_required') return found;
    const back = new URL(params.return_url, window.location.href);
    const status = found[SECRETS[kind].result].status === 'processing' ? 'pending' : 'succeeded';
    back.searchParams.set(kind, answer.id);
    back.searchParams.set(`${kind}_client_secret`, secret);
    back.searchParams.set('redirect_status', status);
    window.location.assign(back);
    return new Promise(() => {});
  }

  /** `verifyMicrodepositsForPayment` and `…ForSetup`. */
  async verify(call, kind, secret, data = {}) {
    const path = `${checkSecret(call, secret, kind)}/verify_microdeposits`;
    return result(kind, await this.controller.call('POST', path, { ...plain(data), client_secret: secret }));
  }

  /** Do what the intent asks for next, and return it as it is then. */
  async follow(kind, intent, secret, { redirects }) {
    const next = intent.next_action || intent.next_source_action;
    if (!next) return result(kind, intent);
    if (next.type === 'use_stripe_sdk') {
      await this.challenge(next.use_stripe_sdk, kind, secret);
      return this.outcome(kind, secret);
    }
    if (next.type === 'verify_with_microdeposits') return result(kind, intent);
    const address = pageOf(next);
    if (address && redirects) {
      window.location.assign(address);
      return new Promise(() => {});
    }
    return result(kind, intent);
  }

  /** The intent after its next step: `{error}` when the customer did not pass it. */
  async outcome(kind, secret) {
    const answer = await this.controller.call('GET', checkSecret('handleNextAction', secret, kind), {
      client_secret: secret,
    });
    const failed = answer.last_payment_error || answer.last_setup_error;
    if (!answer.error && answer.status === 'requires_payment_method' && failed) {
      return { error: { ...failed, [kind]: answer } };
    }
    return result(kind, answer);
  }

  /** Show the bank's page over the shop's, until the customer is through with it. */
  challenge(action, kind, secret) {
    return new Promise((resolve) => {
      const frame = new Frame('three-ds-2-challenge', {
        title: 'Secure 3D Secure authentication frame',
        given: { ...this.stripe._given, kind, secret, page: new URL(action.stripe_js, HOME).pathname },
        listen: (type) => {
          if (type !== 'done') return;
          uncover();
          resolve();
        },
      });
      const uncover = frame.cover();
    });
  }

  /** `handleNextAction` and `handleCardAction`: the intent was confirmed on the server. */
  async next(call, secret) {
    const kind = kindOf(secret);
    const found = await this.retrieve(call, secret, kind || 'payment_intent');
    const intent = found.paymentIntent || found.setupIntent;
    if (found.error) return found;
    if (call === 'handleCardAction' && intent.status !== 'requires_action') {
      const message = `handleCardAction: The PaymentIntent supplied is not in the requires_action state.`;
      return {
        error: {
          type: 'invalid_request_error',
          code: 'payment_intent_unexpected_state',
          message,
          payment_intent: intent,
        },
      };
    }
    return this.follow(kind, intent, secret, { redirects: call === 'handleNextAction' });
  }
}

/** The address that a next action leads to: of a redirect, or of a page with a code, a voucher or instructions. */
function pageOf(next) {
  const inner = next[next.type] || {};
  return (
    inner.url || inner.hosted_instructions_url || inner.hosted_voucher_url || inner.hosted_verification_url || null
  );
}
