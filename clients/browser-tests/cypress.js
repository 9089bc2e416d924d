// For Cypress: what a page asks of Stripe's hosts is answered by a Tollkey server. Put this into
// cypress/support/commands.js and call `cy.routeStripe('http://127.0.0.1:8420')` before `cy.visit(…)`. Elements are
// frames of another origin: set `chromeWebSecurity: false` in cypress.config.js, as with Stripe itself.
Cypress.Commands.add('routeStripe', (url) => {
  const base = url.replace(/\/$/, '');
  cy.intercept({ url: /^https:\/\/(js|api|hooks|checkout)\.stripe\.com\// }, (request) => {
    const asked = new URL(request.url);
    request.url = base + asked.pathname + asked.search;
  });
});
