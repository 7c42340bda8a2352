import { accessRequestOperations } from './access-request.ts';
import { createActivation } from './create-activation.ts';
import { createDocument } from './create-document.ts';
import { deleteActivation } from './delete-activation.ts';
import { deleteDocument } from './delete-document.ts';
import { describeActivations } from './describe-activations.ts';
import { describeInstanceInformation } from './describe-instance-information.ts';
import { describeSessions } from './describe-sessions.ts';
import { describeDocumentPermission, modifyDocumentPermission } from './document-permission.ts';
import { getConnectionStatus } from './get-connection-status.ts';
import { describeDocument, getDocument } from './get-document.ts';
import { getMessages } from './get-messages.ts';
import { getParameters } from './get-parameters.ts';
import { keyOperations } from './keys.ts';
import { listDocumentVersions } from './list-document-versions.ts';
import { listDocuments } from './list-documents.ts';
import { deregisterManagedInstance, updateManagedInstanceRole } from './managed-instance.ts';
import { notNeeded } from './not-needed.ts';
import type { Operation, OperationParts } from './operation.ts';
import { registerManagedInstance } from './register-managed-instance.ts';
import { requestManagedInstanceRoleToken } from './request-managed-instance-role-token.ts';
import { resourceTags } from './resource-tags.ts';
import { resumeSession } from './resume-session.ts';
import { serviceSettings } from './service-setting.ts';
import { startSession } from './start-session.ts';
import { terminateSession } from './terminate-session.ts';
import { updateDocument } from './update-document.ts';
import { updateDocumentDefaultVersion } from './update-document-default-version.ts';
import { updateInstanceInformation } from './update-instance-information.ts';
import { updateManagedInstancePublicKey } from './update-managed-instance-public-key.ts';

/** Every operation that the service answers. */
export function operations(parts: OperationParts): readonly Operation[] {
  return [
    startSession(parts),
    resumeSession(parts),
    terminateSession(parts),
    describeSessions(parts),
    getConnectionStatus(parts),
    createDocument(parts),
    updateDocument(parts),
    updateDocumentDefaultVersion(parts),
    getDocument(parts),
    describeDocument(parts),
    listDocuments(parts),
    listDocumentVersions(parts),
    deleteDocument(parts),
    modifyDocumentPermission(parts),
    describeDocumentPermission(parts),
    ...resourceTags(parts),
    ...serviceSettings(parts),
    ...accessRequestOperations(parts),
    createActivation(parts),
    describeActivations(parts),
    deleteActivation(parts),
    describeInstanceInformation(parts),
    deregisterManagedInstance(parts),
    updateManagedInstanceRole(parts),
    registerManagedInstance(parts),
    requestManagedInstanceRoleToken(parts),
    updateManagedInstancePublicKey(parts),
    updateInstanceInformation(parts),
    getMessages(parts),
    ...notNeeded(parts),
    ...(parts.parameters ? [getParameters(parts, parts.parameters)] : []),
    ...(parts.keys ? keyOperations(parts, parts.keys) : []),
  ];
}
