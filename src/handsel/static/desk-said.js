// What was just done is said once: not again when the page is loaded anew or kept.

const address = new URL(location.href);
address.searchParams.delete("said");
address.searchParams.delete("by");
history.replaceState(history.state, "", address);
