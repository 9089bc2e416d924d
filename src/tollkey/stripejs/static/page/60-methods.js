/** Calls that are named after a type of payment method, each with the type. */
const PAYMENTS = {
  AcssDebit: 'acss_debit',
  Affirm: 'affirm',
  AfterpayClearpay: 'afterpay_clearpay',
  Alipay: 'alipay',
  AuBecsDebit: 'au_becs_debit',
  BacsDebit: 'bacs_debit',
  Bancontact: 'bancontact',
  Billie: 'billie',
  Blik: 'blik',
  Boleto: 'boleto',
  Card: 'card',
  Cashapp: 'cashapp',
  CustomerBalance: 'customer_balance',
  Eps: 'eps',
  Fpx: 'fpx',
  Giropay: 'giropay',
  GrabPay: 'grabpay',
  Ideal: 'ideal',
  Klarna: 'klarna',
  Konbini: 'konbini',
  Mobilepay: 'mobilepay',
  Multibanco: 'multibanco',
  Oxxo: 'oxxo',
  P24: 'p24',
  PayByBank: 'pay_by_bank',
  PayNow: 'paynow',
  PayPal: 'paypal',
  Pix: 'pix',
  PromptPay: 'promptpay',
  SepaDebit: 'sepa_debit',
  Sofort: 'sofort',
  Twint: 'twint',
  UsBankAccount: 'us_bank_account',
  WechatPay: 'wechat_pay',
};
const SETUPS = {
  AcssDebit: 'acss_debit',
  AmazonPay: 'amazon_pay',
  AuBecsDebit: 'au_becs_debit',
  BacsDebit: 'bacs_debit',
  Bancontact: 'bancontact',
  Blik: 'blik',
  Card: 'card',
  Cashapp: 'cashapp',
  Ideal: 'ideal',
  PayPal: 'paypal',
  SepaDebit: 'sepa_debit',
  Sofort: 'sofort',
  UsBankAccount: 'us_bank_account',
};

/** What is not served, and why. Each call throws; nothing is passed over in silence. */
const REFUSED = {
  collectBankAccountForPayment: 'Financial Connections is not simulated; use confirmUsBankAccountPayment with numbers.',
  collectBankAccountForSetup: 'Financial Connections is not simulated; use confirmUsBankAccountSetup with numbers.',
  collectBankAccountToken: 'Financial Connections is not simulated.',
  collectFinancialConnectionsAccounts: 'Financial Connections is not simulated.',
  createEphemeralKeyNonce: 'Issuing Elements are not served.',
  createRadarSession: 'Radar is not simulated.',
  initCheckout: 'Use Elements with a PaymentIntent, or Embedded Checkout.',
  initCheckoutElementsSdk: 'Use Elements with a PaymentIntent, or Embedded Checkout.',
  initCheckoutFormSdk: 'Use Elements with a PaymentIntent, or Embedded Checkout.',
  initializePricing: 'Pricing is not simulated.',
  processOrder: 'The Orders API is not simulated.',
  retrieveOrder: 'The Orders API is not simulated.',
  verifyIdentity: 'Send the customer to the url of the VerificationSession.',
};

function addCalls(prototype) {
  for (const [name, method] of Object.entries(PAYMENTS)) {
    const call = `confirm${name}Payment`;
    prototype[call] = function (secret, data, options) {
      return this._intents.confirm(call, 'payment_intent', method, secret, data, options);
    };
  }
  for (const [name, method] of Object.entries(SETUPS)) {
    const call = `confirm${name}Setup`;
    prototype[call] = function (secret, data, options) {
      return this._intents.confirm(call, 'setup_intent', method, secret, data, options);
    };
  }
  for (const [call, why] of Object.entries(REFUSED)) {
    prototype[call] = async () => refuse(`stripe.${call}() is not served here. ${why}`);
  }
}
