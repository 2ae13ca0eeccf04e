// Shows one more field for an agent with every press of the button.
const more = document.getElementById("more");
more.addEventListener("click", () => {
  const field = document.querySelector("#setup .field[hidden]");
  if (field) {
    field.hidden = false;
    field.querySelector("select").focus();
  }
  more.disabled = !document.querySelector("#setup .field[hidden]");
});
