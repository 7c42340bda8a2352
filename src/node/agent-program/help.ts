import { defaultIdentityDirectory } from '../identity.ts';

export function help(): string {
  return `hawser-agent: makes this machine a managed node of AWS Systems Manager, or of a service of hawser's.

Usage:
  hawser-agent register --activation-id ID --region REGION [options]
  hawser-agent run [options]
  hawser-agent status [--directory DIR]
  hawser-agent --help | --version

register: makes the machine a node, with the id and the code of an activation.
  --activation-id ID         of \`aws ssm create-activation\`
  --activation-code CODE     better in HAWSER_ACTIVATION_CODE or as the first line of stdin, since other
                             users of the machine can see arguments
  --region REGION            default: AWS_REGION
  --endpoint URL             of a service of hawser's; default: AWS's own of the region
  --ssm-endpoint URL         of the API alone
  --ssmmessages-endpoint URL of the message gateway alone
  --fips, --dual-stack       AWS's endpoints of that kind
  --allow-insecure           let http: lead to another machine
  --force                    replace an identity that is there; its node is lost

run: the agent, in the foreground. One line for each event goes to stderr.
  --drain SECONDS            for sessions to end after SIGTERM, SIGINT or SIGHUP before they are ended.
                             Default 60. A second signal ends them at once
  --own-user                 shells and commands are the agent's own user's. By default those of an agent
                             of root are the user ssm-user's, who is made when missing, with leave to do
                             everything, as by AWS's agent
  --kms-endpoint URL         of what decrypts the data keys of encrypted sessions. Default: AWS KMS in the
                             region; for a service of hawser's, that service
  --require-encryption       refuse sessions in the clear, and with them all ports
  --require-kms-challenge    refuse clients that leave this agent's challenge out of the encryption
                             context, as those of AWS up to 1.2.707 do

status: which node this machine is, and whether its agent runs.

  --directory DIR            where the identity is kept, for all of them, open to nobody else.
                             Default: ${defaultIdentityDirectory()}

A service with a certificate of a CA of your own: NODE_EXTRA_CA_CERTS=/path/to/ca.pem hawser-agent …

Exit status: 0 success, 1 failure, 2 arguments that cannot be used, 78 what will not get better by itself: the
machine is not registered, its identity cannot be used, or the service refuses it.
`;
}
