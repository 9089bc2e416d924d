// What every major version of the packages has: a card that pays.
import React, { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { loadStripe } from '@stripe/stripe-js';
import { CardElement, Elements, PaymentElement, useElements, useStripe } from '@stripe/react-stripe-js';

const asked = JSON.parse(decodeURIComponent(window.location.hash.slice(1)));

function Form() {
  const stripe = useStripe();
  const elements = useElements();
  const [result, setResult] = useState('');
  const submit = async (event) => {
    event.preventDefault();
    const found =
      asked.form === 'payment'
        ? await stripe.confirmPayment({ elements, redirect: 'if_required' })
        : await stripe.confirmCardPayment(asked.secret, { payment_method: { card: elements.getElement(CardElement) } });
    setResult(JSON.stringify(found));
  };
  return (
    <form onSubmit={submit}>
      {asked.form === 'payment' ? <PaymentElement /> : <CardElement />}
      <button>Pay</button>
      <output id="result">{result}</output>
    </form>
  );
}

createRoot(document.getElementById('app')).render(
  <Elements stripe={loadStripe(asked.key)} options={asked.options}>
    <Form />
  </Elements>,
);
