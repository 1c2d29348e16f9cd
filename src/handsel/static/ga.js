// Google's tag. Only pages whose visitor has said yes have this script; what their address
// says beyond a campaign, and where else they come from, stays here.
{
  const { id, client, page, keep } = document.currentScript.dataset;

  window.dataLayer = window.dataLayer || [];
  window.gtag = function () {
    window.dataLayer.push(arguments); // the tag wants these, and no array
  };

  gtag("consent", "default", {
    ad_storage: "denied",
    ad_user_data: "denied",
    ad_personalization: "denied",
    analytics_storage: "granted",
  });
  gtag("js", new Date());
  gtag("config", id, {
    allow_google_signals: false,
    allow_ad_personalization_signals: false,
    client_id: client,
    cookie_expires: Number(keep),
    page_location: page,
    page_referrer: document.referrer ? new URL("/", document.referrer).href : "",
  });

  const tag = document.createElement("script");
  tag.async = true;
  tag.src = `https://www.googletagmanager.com/gtag/js?id=${id}`;
  document.head.append(tag);
}
