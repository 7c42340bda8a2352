/** The answers of the message gateway, which agents expect as XML (PROTOCOL.md section 5). */

export const XML_TYPE = 'application/xml';

/** The agent reads the two members of whatever root element. */
export function tokenXml(kind: 'control-channel' | 'data-channel', token: string): string {
  const root = kind === 'control-channel' ? 'CreateControlChannelResponse' : 'CreateDataChannelResponse';
  return `${DECLARATION}<${root}><MessageSchemaVersion>1.0</MessageSchemaVersion><TokenValue>${escapeXml(token)}</TokenValue></${root}>`;
}

/** The agent looks for the element `AccessDeniedException`, and for the text `Session is already terminated`. */
export function errorXml(awsCode: string, message: string): string {
  return `${DECLARATION}<${awsCode}><Message>${escapeXml(message)}</Message></${awsCode}>`;
}

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';

function escapeXml(text: string): string {
  return text.replace(/[&<>]/g, (character) => ENTITIES[character]!);
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
