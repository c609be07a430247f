// The files of deploy/ against each other, and against the schemas of those who read them.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { parser } from '@prometheus-io/lezer-promql';
import { parseAllDocuments } from 'yaml';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const deploy = join(root, 'deploy');
const text = (path) => readFileSync(join(root, path), 'utf8');

/** The documents of a YAML file. */
function documents(path) {
  return parseAllDocuments(text(path), { uniqueKeys: true, merge: true }).map((document) => {
    assert.deepEqual(document.errors, [], path);
    return document.toJS({ maxAliasCount: 100 });
  });
}

/** The YAML files below deploy/. */
function yamlFiles(folder = deploy) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.name === 'node_modules') return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return yamlFiles(path);
    return /\.ya?ml$/.test(entry.name) ? [path.slice(root.length + 1)] : [];
  });
}

const compose = () => documents('deploy/compose/compose.yaml')[0];
const manifests = () =>
  yamlFiles(join(deploy, 'kubernetes'))
    .filter((path) => !path.endsWith('kustomization.yaml'))
    .flatMap(documents);
const manifest = (kind) => manifests().find((found) => found.kind === kind);
const has = (program) => spawnSync('which', [program]).status === 0;

test('every YAML file is one', () => {
  const files = yamlFiles();
  assert.ok(files.length >= 12, files.join());
  files.forEach(documents);
});

test('every Kubernetes manifest is valid by its schema', async () => {
  for (const found of manifests()) {
    const [group, version] = found.apiVersion.includes('/') ? found.apiVersion.split('/') : ['', found.apiVersion];
    const path = ['kubernetes-models', group, version, found.kind].filter(Boolean).join('/');
    const Model = (await import(path))[found.kind];
    new Model(found).validate();
    // The check can fail: a word that is none is refused.
    assert.throws(() => new Model({ ...found, metadata: { name: 7 } }).validate(), undefined, path);
  }
});

test('the manifests fit each other', () => {
  const [kustomization] = documents('deploy/kubernetes/kustomization.yaml');
  const files = readdirSync(join(deploy, 'kubernetes')).filter((name) => name !== 'kustomization.yaml');
  assert.deepEqual([...kustomization.resources].sort(), files.sort());

  const pod = manifest('StatefulSet').spec.template;
  const [container] = pod.spec.containers;
  const labels = JSON.stringify(pod.metadata.labels);
  const selectors = manifests().flatMap(({ spec = {} }) => [spec.selector?.matchLabels ?? spec.selector, spec.podSelector?.matchLabels]);
  for (const selector of selectors.filter(Boolean)) assert.equal(JSON.stringify(selector), labels);
  const ports = container.ports.map((port) => port.name);
  for (const service of manifests().filter(({ kind }) => kind === 'Service')) {
    for (const port of service.spec.ports) assert.ok(ports.includes(port.targetPort), service.metadata.name);
  }
  for (const probe of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
    assert.ok(ports.includes(container[probe].httpGet.port));
    assert.ok(text('src/http/health.rs').includes(`"${container[probe].httpGet.path}"`));
  }
  // Whoever is not ready is sent nothing, and is not ended for it.
  const paths = ['startupProbe', 'livenessProbe', 'readinessProbe'].map((probe) => container[probe].httpGet.path);
  assert.deepEqual(paths, ['/livez', '/livez', '/readyz']);
  const volumes = [...pod.spec.volumes, ...manifest('StatefulSet').spec.volumeClaimTemplates.map((claim) => claim.metadata)];
  assert.deepEqual(container.volumeMounts.map((mount) => mount.name).sort(), volumes.map((volume) => volume.name).sort());
  const salt = pod.spec.volumes.find((volume) => volume.name === 'salt');
  assert.equal(salt.emptyDir.medium, 'Memory');
  const ingress = manifest('Ingress').spec.rules[0].http.paths[0].backend.service;
  assert.deepEqual(ingress, { name: 'passerby', port: { name: 'http' } });
});

test('kubectl builds the manifests into one', { skip: !has('kubectl') && 'there is no kubectl' }, () => {
  const built = spawnSync('kubectl', ['kustomize', join(deploy, 'kubernetes')], { encoding: 'utf8' });
  assert.equal(built.status, 0, built.stderr);
  assert.equal(built.stdout.match(/^kind: /gm).length, manifests().length);
});

test('compose mounts files that are there, asks for variables that the example has, and hardens', () => {
  const { services, networks, volumes } = compose();
  const example = text('deploy/compose/example.env');
  for (const [name, service] of Object.entries(services)) {
    assert.ok(service.build || /:[v\d]/.test(service.image), `${name}: the image has no version`);
    assert.deepEqual(service.cap_drop, ['ALL'], name);
    assert.deepEqual(service.security_opt, ['no-new-privileges:true'], name);
    assert.ok(service.mem_limit, `${name}: no limit of memory`);
    for (const network of service.networks) assert.ok(network in networks, name);
    // A volume within another one may be root's, where the program may not write.
    const named = service.volumes.filter((mount) => !mount.startsWith('.')).map((mount) => mount.split(':')[1]);
    for (const inner of named) assert.ok(!named.some((outer) => inner.startsWith(`${outer}/`)), `${name}: ${inner}`);
    for (const mount of service.volumes) {
      const [source] = mount.split(':');
      const there = source.startsWith('.') ? existsSync(resolve(deploy, 'compose', source)) : source in volumes;
      assert.ok(there, `${name}: ${mount}`);
    }
  }
  for (const [, variable] of text('deploy/compose/compose.yaml').matchAll(/\$\{(\w+)/g)) {
    assert.match(example, new RegExp(`^${variable}=`, 'm'), variable);
  }
  const published = Object.entries(services).filter(([, service]) => service.ports);
  assert.deepEqual(published.map(([name]) => name).sort(), ['caddy', 'grafana']);
  assert.ok(services.grafana.ports.every((port) => port.startsWith('127.0.0.1:')));
  const dockerfile = resolve(deploy, 'compose', services.collector.build.context, services.collector.build.dockerfile);
  assert.match(readFileSync(dockerfile, 'utf8'), new RegExp(` AS ${services.collector.build.target}$`, 'm'));
  assert.equal(services.collector.environment.PASSERBY_TRUSTED_PROXIES, networks.front.ipam.config[0].subnet);
});

test('Grafana is given every dashboard, and the data sources that they ask', () => {
  const mounts = compose().services.grafana.volumes;
  const [provider] = documents('deploy/compose/grafana/dashboards/passerby.yaml')[0].providers;
  const dashboards = readdirSync(join(root, 'dashboards')).filter((name) => name.endsWith('.json'));
  for (const name of dashboards) {
    assert.ok(mounts.includes(`../../dashboards/${name}:${provider.options.path}/${name}:ro`), name);
  }
  const { datasources } = documents('deploy/compose/grafana/datasources/passerby.yaml')[0];
  const types = datasources.map((datasource) => datasource.type);
  for (const name of dashboards) {
    const dashboard = JSON.parse(text(`dashboards/${name}`));
    assert.ok(types.includes(dashboard.templating.list[0].query), name);
  }
  const users = text('deploy/clickhouse/users.d/passerby.xml');
  assert.ok(users.includes(`<${datasources[0].jsonData.username}>`));
});

test('as many visits as may be open fit into the limit of memory, with all else that a collector takes', () => {
  const [VISIT_BYTES, REST_BYTES] = [1_500, 128 * 2 ** 20];
  const bytes = (text) => {
    const [, number, unit] = /^(\d+)(m|Mi|g|Gi)$/.exec(text);
    return number * (unit.toLowerCase().startsWith('g') ? 2 ** 30 : 2 ** 20);
  };
  const { collector } = compose().services;
  const [container] = manifest('StatefulSet').spec.template.spec.containers;
  for (const [limit, variables] of [
    [collector.mem_limit, collector.environment],
    [container.resources.limits.memory, manifest('ConfigMap').data],
  ]) {
    const visits = Number(variables.PASSERBY_VISITS_OPEN_MAX);
    assert.ok(visits > 0 && visits * VISIT_BYTES + REST_BYTES < bytes(limit), `${visits} visits in ${limit}`);
  }
});

test('every variable of the program is one that the program knows', () => {
  const known = new Set(text('src/config/environment.rs').match(/"PASSERBY_[A-Z0-9_]+"/g).map((name) => name.slice(1, -1)));
  const given = [
    ...Object.keys(compose().services.collector.environment),
    ...Object.keys(manifest('ConfigMap').data),
    ...Object.keys(manifest('Secret').stringData),
    ...[...text('deploy/systemd/passerby.service').matchAll(/^Environment=(\w+)/gm)].map((found) => found[1]),
    ...text('deploy/Dockerfile').match(/PASSERBY_\w+/g),
  ];
  assert.ok(given.length > 15);
  for (const name of given) assert.ok(known.has(name), name);
});

test('ports are the same wherever they stand', () => {
  const dockerfile = text('deploy/Dockerfile');
  const [listen] = dockerfile.match(/(?<=PASSERBY_LISTEN=0\.0\.0\.0:)\d+/);
  const [metrics] = dockerfile.match(/(?<=PASSERBY_METRICS_LISTEN=0\.0\.0\.0:)\d+/);
  assert.ok(dockerfile.includes(`EXPOSE ${listen} ${metrics}\n`));
  const { ports } = manifest('StatefulSet').spec.template.spec.containers[0];
  assert.deepEqual(ports.map((port) => String(port.containerPort)), [listen, metrics]);
  const [{ static_configs: [{ targets }] }] = documents('deploy/prometheus/prometheus.yml')[0].scrape_configs;
  assert.deepEqual(targets, [`collector:${metrics}`]);
  assert.ok(text('deploy/compose/Caddyfile').includes(`reverse_proxy collector:${listen}`));
});

test('the configuration of the service is for root to read, and handed to the service and to what runs as its user', () => {
  const [unit, readme] = ['deploy/systemd/passerby.service', 'deploy/README.md'].map(text);
  const [, name, path] = /^LoadCredential=(\S+?):(\S+)$/m.exec(unit);
  assert.match(unit, new RegExp(`^ExecStart=/usr/bin/passerby serve --config %d/${name}$`, 'm'));
  assert.ok(readme.includes(`install -m 0600 -D deploy/passerby.toml ${path}\n`));
  const [, once] = /^systemd-run .*--unit=(\S+)/m.exec(readme);
  assert.ok(readme.includes(`-p LoadCredential=${name}:${path} `));
  assert.ok(readme.includes(`passerby --config /run/credentials/${once}.service/${name} restore`));
});

test('the service keeps its salt, and outlives an engine that takes too much', () => {
  const unit = text('deploy/systemd/passerby.service');
  // Of a service without a user of its own the directory is a link, which a salt is not kept in.
  assert.match(unit, /^Environment=PASSERBY_PRIVACY_SALT_DIR=\/run\/passerby\/\w+$/m);
  assert.match(unit, /^OOMPolicy=continue$/m);
  // It is started again for ever.
  assert.match(unit, /^Restart=always$/m);
  assert.match(/^\[Unit\]$.*?^\[/ms.exec(unit)[0], /^StartLimitIntervalSec=0$/m);
  const [{ lifecycle }] = manifest('StatefulSet').spec.template.spec.containers;
  assert.ok(lifecycle.preStop.sleep.seconds >= 5);
});

test('what Caddy logs has no address, and no query', () => {
  for (const caddyfile of ['deploy/compose/Caddyfile', 'deploy/proxies/Caddyfile'].map(text)) {
    for (const field of ['remote_ip', 'remote_port', 'client_ip', 'headers']) {
      assert.match(caddyfile, new RegExp(`request>${field} delete`));
    }
    assert.match(caddyfile, /request>uri regexp "\\\?\.\*" ""$/m);
    assert.match(caddyfile, /^\t+resp_headers delete$/m);
    // Both are loggers of Caddy's own, beside the log of requests: what failed, and what broke off.
    assert.match(caddyfile, /^\tlog \{\n\t\texclude http\.log\.error http\.handlers\.reverse_proxy\n\t\}$/m);
  }
  assert.equal(manifest('Ingress').metadata.annotations['nginx.ingress.kubernetes.io/enable-access-log'], 'false');
});

test('the same Node.js is needed wherever that is said, and none that is older is taken', () => {
  const [, needed] = /Node\.js \(([\d.]+) or later, with npm\)/.exec(text('README.md'));
  for (const folder of ['beacon', 'dashboards/source', 'deploy/check', 'tests/browser']) {
    assert.equal(JSON.parse(text(`${folder}/package.json`)).engines.node, `>=${needed}`, folder);
  }
  assert.ok(text('deploy/engine/install.sh').includes(`Node.js ${needed} or later, with npm`));
  // Stand-ins for what may be on a machine.
  const folder = mkdtempSync(join(tmpdir(), 'passerby-node-'));
  const answer = (version, ...others) => {
    for (const name of ['node', 'npm']) rmSync(join(folder, name), { force: true });
    for (const name of ['node', ...others]) {
      writeFileSync(join(folder, name), `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    }
    for (const name of ['bash', 'sed', 'tr', 'sort', 'head', 'dirname']) {
      if (!existsSync(join(folder, name))) symlinkSync(spawnSync('which', [name], { encoding: 'utf8' }).stdout.trim(), join(folder, name));
    }
    return spawnSync(join(root, 'tests/node.sh'), { env: { PATH: folder }, encoding: 'utf8' });
  };
  for (const version of ['v20.11.0', 'v20.20.2', 'v100.0.0']) assert.equal(answer(version, 'npm').status, 0, version);
  for (const old of [answer('v18.20.4', 'npm'), answer('v20.9.0', 'npm'), answer('v22.0.0')]) {
    assert.equal(old.status, 1);
    assert.match(old.stderr, new RegExp(`^The tests need Node\\.js ${needed} or later, with npm, and here is .*\\.\n$`));
  }
});

/** The expressions of the alerts and of the dashboard. */
function expressions() {
  const rules = documents('deploy/prometheus/passerby.rules.yml')[0].groups.flatMap((group) => group.rules);
  const panels = JSON.parse(text('dashboards/collector.json')).panels;
  const filled = (expr) => expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(job|instance)/g, '.*');
  return [...rules.map((rule) => rule.expr), ...panels.flatMap((panel) => panel.targets.map((target) => filled(target.expr)))];
}

test('every expression for Prometheus is one', () => {
  const isWrong = (expression) => {
    let wrong = false;
    parser.parse(expression).iterate({ enter: (node) => void (wrong ||= node.type.isError) });
    return wrong;
  };
  assert.ok(isWrong('sum(rate(x[5m])'), 'the parser finds nothing wrong');
  for (const expression of expressions()) assert.ok(!isWrong(expression), expression);
});

test('every alert says what it is and what to do, and names reasons that there are', () => {
  const rules = documents('deploy/prometheus/passerby.rules.yml')[0].groups.flatMap((group) => group.rules);
  for (const rule of rules) {
    assert.ok(['critical', 'warning'].includes(rule.labels.severity), rule.alert);
    assert.ok(rule.annotations.summary && rule.annotations.description.endsWith('.'), rule.alert);
    for (const reason of rule.expr.match(/(?<=reason=~")[^"]+/)?.[0].split('|') ?? []) {
      assert.ok((text('src/ingest.rs') + text('src/spool/mod.rs') + text('src/judge/mod.rs')).includes(`"${reason}"`), reason);
    }
  }
});

test('each alarm of the documentation is a rule, and the job that is asked for is one that scrapes', () => {
  const rules = documents('deploy/prometheus/passerby.rules.yml')[0].groups.flatMap((group) => group.rules);
  const alarms = /^## Alarms$.*?(?=^## )/ms.exec(text('docs/operations.md'))[0].match(/^\| `.*?`/gm);
  assert.ok(alarms.length > 10, alarms.join());
  for (const alarm of alarms) {
    const metrics = alarm.match(/(?<=[`( ])[a-z]+_[a-z_]+(?=[\[{ )])/g);
    const [reason] = /(?<=reason=")\w+/.exec(alarm) ?? [''];
    const [bound] = /> [\d.]+(?=`$)/.exec(alarm) ?? [''];
    const asks = ({ expr }) =>
      metrics.every((metric) => new RegExp(`\\bpasserby_${metric}\\b`).test(expr)) && expr.includes(reason) && expr.includes(bound);
    assert.ok(rules.some(asks), alarm);
  }
  const [{ job_name: job }] = documents('deploy/prometheus/prometheus.yml')[0].scrape_configs;
  for (const { expr } of rules) for (const [, asked] of expr.matchAll(/job="(.*?)"/g)) assert.equal(asked, job, expr);
});

test('the lines for an Alertmanager are ones when they are no comment any more', () => {
  const lines = text('deploy/prometheus/prometheus.yml').replace(/^# (?=alerting:|  )/gm, '');
  const [{ alerting, rule_files: files }] = parseAllDocuments(lines).map((document) => document.toJS());
  assert.deepEqual(alerting.alertmanagers[0].static_configs[0].targets, ['alertmanager:9093']);
  assert.deepEqual(files, ['passerby.rules.yml']);
  assert.match(text('deploy/README.md'), /^## Alerts$[^]*?Alertmanager[^]*?^## /m);
});

test('the analyst of a server is granted the views, and nothing else', () => {
  const all = [...text('schema.sql').matchAll(/^CREATE OR REPLACE VIEW (\w+)/gm)].map((found) => found[1]).sort();
  // The key of the numbers that stand for visitors is nobody's to read.
  const views = all.filter((view) => view !== 'pseudonym_key');
  assert.equal(views.length, all.length - 1);
  const ofAnalyst = (file) => text(file).split('\n').filter((line) => !line.includes('passerby.*')).join('\n');
  const granted = (file) => [...ofAnalyst(file).matchAll(/GRANT SELECT ON passerby\.(\w+)/g)].map((found) => found[1]).sort();
  assert.deepEqual(granted('deploy/clickhouse/users.d/passerby.xml'), views);
  assert.deepEqual(granted('deploy/clickhouse/analyst.sql'), views);
});

test('the unit is valid, and exposes little', { skip: !has('systemd-analyze') && 'there is no systemd' }, () => {
  // The program of the unit need not be installed here: /bin/true stands in for it.
  const folder = mkdtempSync(join(tmpdir(), 'passerby-unit-'));
  const unit = join(folder, 'passerby.service');
  writeFileSync(unit, text('deploy/systemd/passerby.service').replace('/usr/bin/passerby', '/bin/true'));
  const verified = spawnSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8' });
  const complaints = verified.stderr.split('\n').filter((line) => line.includes('passerby.service'));
  assert.deepEqual(complaints, [], verified.stderr);
  const security = spawnSync('systemd-analyze', ['security', '--offline=yes', '--threshold=20', unit], { encoding: 'utf8' });
  assert.equal(security.status, 0, security.stdout.split('\n').slice(-4).join('\n') + security.stderr);
});
