/** Close codes that topics use. RFC 6455 §7.4.1, and the registry of §11.7 for 1013. */
export const goingAway = 1001
export const policyViolation = 1008
export const tryAgainLater = 1013

/** That of core's `revoke`: the login has ended. */
export const unauthorized = 4401
