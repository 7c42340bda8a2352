/** The WebSocket close codes that the service sends (RFC 6455, section 7.4.1). */
export const CloseCode = {
  Normal: 1000,
  GoingAway: 1001,
  ProtocolError: 1002,
  PolicyViolation: 1008,
  InternalError: 1011,
  TryAgainLater: 1013,
} as const;
