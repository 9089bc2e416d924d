// A shop whose page is its own, and whose order is a Checkout Session: the React package's CheckoutElementsProvider.
import React, { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { loadStripe } from '@stripe/stripe-js';
import {
  BillingAddressElement, CheckoutElementsProvider, ContactDetailsElement, CurrencySelectorElement, PaymentElement,
  ShippingAddressElement, useCheckoutElements,
} from '@stripe/react-stripe-js/checkout';

const asked = JSON.parse(decodeURIComponent(window.location.hash.slice(1) || '%7B%7D'));
const stripePromise = loadStripe(asked.key);
const options = { clientSecret: Promise.resolve(asked.secret), elementsOptions: asked.elementsOptions, defaultValues: asked.defaults };

function Order({ checkout }) {
  const [result, setResult] = useState('');
  window.checkout = checkout;
  const pay = async () => {
    setResult('');
    setResult(JSON.stringify(await checkout.confirm(asked.confirm)));
  };
  return (
    <>
      <ul>
        {checkout.lineItems.map((item) => <li key={item.id}>{item.quantity} × {item.name}: {item.total.amount}</li>)}
      </ul>
      <p id="total">{checkout.total.total.amount}</p>
      <p id="can">{String(checkout.canConfirm)}</p>
      {asked.contact && <ContactDetailsElement />}
      {asked.places && <ShippingAddressElement />}
      {asked.places && <BillingAddressElement />}
      <CurrencySelectorElement />
      <PaymentElement options={asked.element} onReady={() => (window.ready = true)} />
      <button onClick={pay}>Pay</button>
      <output id="result">{result}</output>
    </>
  );
}

function Page() {
  const state = useCheckoutElements();
  if (state.type === 'loading') return <p>Loading</p>;
  return state.type === 'error' ? <p role="alert">{state.error.message}</p> : <Order checkout={state.checkout} />;
}

createRoot(document.getElementById('app')).render(
  <StrictMode>
    <CheckoutElementsProvider stripe={stripePromise} options={options}>
      <Page />
    </CheckoutElementsProvider>
  </StrictMode>,
);
