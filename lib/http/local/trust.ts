import { createSecureContext, getCACertificates, rootCertificates, type SecureContext } from "node:tls";

let trusted: SecureContext | undefined;

/**
 * Whose word counts for who a server is: those that the system trusts (`SSL_CERT_FILE` and `NODE_EXTRA_CA_CERTS`
 * say which where that is not the usual place), and those that the runtime brings along for a system with none.
 */
export function trust(): SecureContext {
  return (trusted ??= createSecureContext({
    ca: [...new Set([...getCACertificates("system"), ...getCACertificates("extra"), ...rootCertificates])],
  }));
}
