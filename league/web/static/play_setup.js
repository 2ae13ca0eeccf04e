// Simulations are asked of those only that search by them.
const agent = document.getElementById("agent"), limits = document.getElementById("limits");
const show = () => { limits.disabled = agent.selectedOptions[0]?.dataset.searches === undefined; };
agent.addEventListener("change", show);
show();
