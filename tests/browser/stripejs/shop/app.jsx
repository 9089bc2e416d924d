// The shop of the tests: a React application as people write them. What it shows stands in the address of its page.
import React, { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { loadStripe } from '@stripe/stripe-js';
import {
  CardCvcElement, CardElement, CardExpiryElement, CardNumberElement, Elements, EmbeddedCheckout,
  EmbeddedCheckoutProvider, PaymentElement, useElements, useStripe,
} from '@stripe/react-stripe-js';

const asked = JSON.parse(decodeURIComponent(window.location.hash.slice(1) || '%7B%7D'));
const stripePromise = loadStripe(asked.key);
const billing = { name: 'Jenny Rosen', email: 'jenny@example.com' };

const FORMS = {
  card: () => <CardElement onChange={seen('change')} onReady={() => seen('ready')(null)} options={asked.element} />,
  split: () => (
    <>
      <CardNumberElement options={{ showIcon: true }} />
      <CardExpiryElement />
      <CardCvcElement />
    </>
  ),
  payment: () => (
    <PaymentElement
      onChange={seen('change')}
      onReady={() => seen('ready')(null)}
      onAvailablePaymentMethodsChange={seen('available')}
      options={asked.element}
    />
  ),
};

function seen(name) {
  return (event) => {
    window.events = [...(window.events || []), [name, event]];
  };
}

/** What a form does when it is sent, by name. */
const DEEDS = {
  confirmCardPayment: (stripe, elements) =>
    stripe.confirmCardPayment(asked.secret, { payment_method: { card: cardOf(elements), billing_details: billing } }),
  confirmCardSetup: (stripe, elements) =>
    stripe.confirmCardSetup(asked.secret, { payment_method: { card: cardOf(elements), billing_details: billing } }),
  confirmPayment: (stripe, elements) =>
    stripe.confirmPayment({
      elements, redirect: asked.redirect, confirmParams: { return_url: 'https://shop.example/thanks' },
    }),
  confirmSetup: (stripe, elements) =>
    stripe.confirmSetup({ elements, redirect: asked.redirect, confirmParams: { return_url: 'https://shop.example/thanks' } }),
  async deferred(stripe, elements) {
    const { error } = await elements.submit();
    if (error) return { error };
    const confirmParams = { return_url: 'https://shop.example/thanks' };
    return stripe.confirmPayment({ elements, clientSecret: asked.secret, confirmParams, redirect: 'if_required' });
  },
  async createConfirmationToken(stripe, elements) {
    const { error } = await elements.submit();
    return error ? { error } : stripe.createConfirmationToken({ elements });
  },
  createToken: (stripe, elements) => stripe.createToken(cardOf(elements)),
  createPaymentMethod: (stripe, elements) => stripe.createPaymentMethod({ type: 'card', card: cardOf(elements) }),
};

function cardOf(elements) {
  return elements.getElement(CardElement) || elements.getElement(CardNumberElement);
}

function Form() {
  const stripe = useStripe();
  const elements = useElements();
  const [result, setResult] = useState('');
  const submit = async (event) => {
    event.preventDefault();
    setResult('');
    try {
      setResult(JSON.stringify(await DEEDS[asked.deed](stripe, elements)));
    } catch (problem) {
      setResult(JSON.stringify({ thrown: problem.name, message: problem.message }));
    }
  };
  return (
    <form onSubmit={submit}>
      {FORMS[asked.form]()}
      <button disabled={!stripe}>Pay</button>
      <output id="result">{result}</output>
    </form>
  );
}

function Embedded() {
  const [result, setResult] = useState('');
  const [options] = useState({ clientSecret: asked.secret, onComplete: () => setResult('{"complete": true}') });
  return (
    <EmbeddedCheckoutProvider stripe={stripePromise} options={options}>
      <EmbeddedCheckout />
      <output id="result">{result}</output>
    </EmbeddedCheckoutProvider>
  );
}

createRoot(document.getElementById('app')).render(
  <StrictMode>
    {asked.form === 'embedded' ? (
      <Embedded />
    ) : (
      <Elements stripe={stripePromise} options={asked.options}>
        <Form />
      </Elements>
    )}
  </StrictMode>,
);
