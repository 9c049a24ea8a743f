/* Browsers carry what follows the # through all redirects, and WeCom's address must end with one of its own.
   It goes before the router reads the page's address, which it does when it is made. */
if (location.hash === "#wechat_redirect")
  history.replaceState(history.state, "", location.pathname + location.search)
