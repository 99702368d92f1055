"use strict";

// Shows the address under which this page was reached.
document.getElementById("first-call").textContent = `curl ${location.origin}/v1/stores`;
