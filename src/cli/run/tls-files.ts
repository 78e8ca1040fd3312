import { readFileSync } from 'node:fs';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import { calledServices } from '../../model/called-services.ts';
import type { CertificateFiles, World } from '../../model/world.ts';
import { hasError } from '../../tools/build-project.ts';
import { checkAuthorities, checkCertificate, type ReadText } from '../../tools/certificate-findings.ts';

export const readText: ReadText = (path) => {
  try {
    return { text: readFileSync(path, 'utf8') };
  } catch (error) {
    return {
      fault: (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message,
    };
  }
};

/** A project with what is wrong in the certificates that the gateway shows; they lie beside the texts of the project. */
export function withCertificateFindings<Project extends CertifiedProject>(
  project: Project,
  wallMs: number,
): Project {
  if (project.built === null) return project;
  const found = certificateFindings(project.built.world, wallMs);
  if (found.length === 0) return project;
  const diagnostics = [...project.diagnostics, ...found];
  return { ...project, built: hasError(found) ? null : project.built, diagnostics };
}

interface CertifiedProject {
  readonly built: { readonly world: Pick<World, 'server' | 'services' | 'models'> } | null;
  readonly diagnostics: readonly Diagnostic[];
}

function certificateFindings(
  world: Pick<World, 'server' | 'services' | 'models'>,
  wallMs: number,
): readonly Diagnostic[] {
  const files = new Map<string, CertificateFiles>();
  const add = (each: CertificateFiles): void =>
    void files.set(`${each.certificateFile}\n${each.keyFile}`, each);
  const { certificates, adminCertificate } = world.server;
  for (const each of certificates ?? []) add(each);
  if (adminCertificate !== null) add(adminCertificate);
  for (const { tls } of calledServices(world)) {
    const { certificateFile, keyFile } = tls;
    if (certificateFile !== null && keyFile !== null) add({ certificateFile, keyFile });
  }
  const authorities = world.server.clientCertificates?.authoritiesFile ?? null;
  return [
    ...[...files.values()].flatMap((each) => checkCertificate(each, readText, wallMs).diagnostics),
    ...(authorities === null ? [] : checkAuthorities(authorities, readText, wallMs)),
  ];
}
