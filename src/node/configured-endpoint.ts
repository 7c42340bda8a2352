import type { AwsService, EndpointVariant } from '../core/endpoints.ts';

/** Where a service is, as far as the user has said it. */
export interface ConfiguredEndpoint extends EndpointVariant {
  /** Undefined for AWS's own in the region. */
  readonly endpoint: string | undefined;
}

/**
 * The endpoint that the environment names, as the SDKs of AWS take it: `AWS_ENDPOINT_URL_<SERVICE>`, else
 * `AWS_ENDPOINT_URL`, unless `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS` is `true`.
 */
export function endpointOfEnvironment(
  service: AwsService,
  environment: NodeJS.ProcessEnv,
): string | undefined {
  if (environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true') return undefined;
  return (
    environment[`AWS_ENDPOINT_URL_${service.toUpperCase()}`] || environment.AWS_ENDPOINT_URL || undefined
  );
}

/**
 * The same, and where that names none, the `endpoint_url` of the profile: of its `services` section, else its own. FIPS
 * and dual-stack endpoints are asked for by `AWS_USE_FIPS_ENDPOINT` and `AWS_USE_DUALSTACK_ENDPOINT`, or in the profile.
 */
export async function configuredEndpoint(
  service: AwsService,
  profile: string | undefined,
  environment: NodeJS.ProcessEnv,
): Promise<ConfiguredEndpoint> {
  const { loadSharedConfigFiles } = await import('@smithy/core/config');
  const { configFile } = await loadSharedConfigFiles({ ignoreCache: true });
  const settings = configFile[profile ?? (environment.AWS_PROFILE || 'default')] ?? {};
  const services = configFile[`services.${settings.services}`] ?? {};
  const ignored =
    (environment.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS || settings.ignore_configured_endpoint_urls) === 'true';
  const ofProfile = services[`${service}.endpoint_url`] || settings.endpoint_url || undefined;
  return {
    endpoint: ignored ? undefined : (endpointOfEnvironment(service, environment) ?? ofProfile),
    useFipsEndpoint: (environment.AWS_USE_FIPS_ENDPOINT || settings.use_fips_endpoint) === 'true',
    useDualstackEndpoint:
      (environment.AWS_USE_DUALSTACK_ENDPOINT || settings.use_dualstack_endpoint) === 'true',
  };
}
