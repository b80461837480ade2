// Starts the API page on this server's own contract.
"use strict";

// Somebody signed in on the pages may try the API as themselves: the cookie goes along by itself, and a writing request
// needs its CSRF token as a header beside it. A token given under "Authorize" comes first.
function withCsrfToken(request) {
  const token = document.cookie.match(/(?:^|; )csrf_access_token=([^;]+)/);
  if (token && !request.headers.Authorization) {
    request.headers["X-CSRF-TOKEN"] = token[1];
  }
  return request;
}

SwaggerUIBundle({
  url: document.getElementById("docs").dataset.contract,
  dom_id: "#docs",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  filter: true,
  requestInterceptor: withCsrfToken,
  validatorUrl: null, // the contract stays in the house
});
