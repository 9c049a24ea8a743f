/* Where sign-in without a screen will hook in. Inside WeCom the server will offer an address that
   sends the page through WeCom's own sign-in and back with the session cookie set; until it does,
   the account form is the only way and this answers that nothing happened. */

export function isInsideWeCom(): boolean {
  return /wxwork/i.test(navigator.userAgent)
}

export async function trySilentSignIn(): Promise<boolean> {
  return false
}
