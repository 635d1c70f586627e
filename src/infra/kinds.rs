//! The built-in kinds of infrastructure: what a policy may name in `infra = [...]`.
//!
//! One row a kind, read by `infra::paths`, `infra::content` and whoever prints the table. Matching
//! is not here.
//!
//! How the globs are chosen: a name or an extension that one tool owns covers files anywhere; so
//! does a folder that bears a tool's name. A folder with an everyday name (`templates`, `roles`,
//! `manifests`) covers only the files of it that the tool reads, and what is left is found by
//! content. A README, a changelog or a licence in a folder is prose. Whoever disagrees takes paths
//! away with `!` in the policy.

use crate::infra::mark::Mark;

/// A kind of infrastructure.
#[derive(Debug)]
pub struct Kind {
    /// What a policy calls it.
    pub name: &'static str,
    /// What it covers, a sentence without a full stop.
    pub covers: &'static str,
    /// The paths it covers, whatever they contain. ASCII letters match in either case.
    pub paths: &'static [&'static str],
    /// What it looks for inside structured files that no path covers.
    pub content: Option<Mark>,
}

/// Every kind, the special before the general: the first that matches names the file.
pub static TABLE: &[Kind] = &[
    Kind {
        name: "terraform",
        covers: "Terraform, OpenTofu, Terragrunt and all other HCL (Packer, Nomad, Vault), state \
                 files, lock files, and folders named after the tools",
        paths: &[
            "**/*.{tf,tofu,tfvars,tofuvars,hcl,nomad,tftpl,tfbackend}",
            "**/*.{tf,tofu,tfvars,tofuvars,tftest,tofutest,pkr,pkrvars}.json",
            "**/*.{tf,tofu,tfvars,hcl}.{tmpl,tpl,gotmpl,j2,jinja,jinja2,erb,template}",
            "**/*.tfstate{,.backup}",
            "**/.{terraform,opentofu,terragrunt}-version",
            "**/{.terraformrc,terraform.rc,.tofurc,tofu.rc}",
            "**/atlantis.{yaml,yml}",
            "**/{terraform,opentofu,terragrunt,.spacelift}/**",
        ],
        content: None,
    },
    Kind {
        name: "helm",
        covers: "Helm charts with their values, templates and vendored archives, and Helmfile",
        paths: &[
            "**/Chart.{yaml,yml,lock}",
            "**/values{,-*,_*,.*}.{yaml,yml}{,.*}",
            "**/*{-,_,.}values.{yaml,yml}{,.*}",
            "**/values/**/*.{yaml,yml}",
            "**/values.schema.json",
            "**/requirements.yaml",
            "**/.helmignore",
            "**/helmfile*.{yaml,yml,gotmpl}",
            "**/helmfile.d/**",
            "**/templates/**/_*.tpl",
            "**/charts/**/*.{yaml,yml,tpl,tgz}",
            "**/charts/*/{templates,crds,files}/**",
            "**/helm/**/*.{yaml,yml,json,tpl,tgz,gotmpl}",
            "**/*.{yaml,yml}.gotmpl",
        ],
        content: Some(Mark::Helm),
    },
    Kind {
        name: "kustomize",
        covers: "Kustomizations, what lies in their overlays, and JSON patches",
        paths: &[
            "**/kustomization.{yaml,yml}",
            "**/Kustomization",
            "**/kustomizeconfig.{yaml,yml}",
            "**/Kptfile",
            "**/overlays/**/*.{yaml,yml,json,env,properties}{,.*}",
        ],
        content: Some(Mark::Kustomize),
    },
    Kind {
        name: "argocd",
        covers: "Argo CD applications and projects, Argo workflows and rollouts",
        paths: &[
            "**/{argocd,argo-cd}/**/*.{yaml,yml,json}{,.*}",
            "**/.argocd-source*.yaml",
            "**/argocd-*.{yaml,yml}",
        ],
        content: Some(Mark::ArgoCd),
    },
    Kind {
        name: "flux",
        covers: "Flux sources, kustomizations, releases and its own components",
        paths: &[
            "**/flux-system/**",
            "**/gotk-*.{yaml,yml}",
            "**/flux/**/*.{yaml,yml}",
            "**/.flux.{yaml,yml}",
            "**/.sourceignore",
        ],
        content: Some(Mark::Flux),
    },
    Kind {
        name: "kubernetes",
        covers: "Kubernetes objects of any kind, the folders they usually lie in, and Jsonnet",
        paths: &[
            "**/{k8s,.k8s,kubernetes,kube}/**/*.{yaml,yml,json,env,properties}{,.*}",
            "**/{manifests,clusters}/**/*.{yaml,yml}{,.*}",
            "**/*.{jsonnet,libsonnet}",
            "**/jsonnetfile{,.lock}.json",
            "**/{skaffold,devspace,cdk8s}.{yaml,yml}",
            "**/{kubeconfig,*.kubeconfig}",
        ],
        content: Some(Mark::Kubernetes),
    },
    Kind {
        name: "cloudformation",
        covers: "CloudFormation, SAM, the CDK, Elastic Beanstalk, Copilot, ECS task definitions, \
                 CodeDeploy and OpenStack Heat",
        paths: &[
            "**/*.{cfn,cform,cloudformation,sam}",
            "**/*.{cfn,cform,cloudformation,sam}.{yaml,yml,json}",
            "**/template.{yaml,yml}",
            "**/samconfig.{toml,yaml,yml}",
            "**/cdk{,.context}.json",
            "**/lib/**/*-stack.{ts,js}",
            "**/*_stack.py",
            "**/.ebextensions/**",
            "**/copilot/**/{manifest,*.cfn,cfn.patches}.{yaml,yml}",
            "**/{task-definition,taskdef}*.json",
            "**/appspec.{yaml,yml}",
            "**/cloudformation/**",
            "**/cfn/**/*.{yaml,yml,json,template}",
        ],
        content: Some(Mark::CloudFormation),
    },
    Kind {
        name: "serverless",
        covers: "Serverless Framework, SST, Chalice, Zappa, and the configuration of hosted \
                 platforms: Cloudflare, Netlify, Vercel, Fly, Render, Firebase, Heroku",
        paths: &[
            "**/serverless.{yml,yaml,json,js,cjs,mjs,ts}",
            "**/serverless{.,-,_}*.{yml,yaml}",
            "**/*.serverless.{yml,yaml,json}",
            "**/sst.config.{ts,js,mjs}",
            "**/.chalice/**",
            "**/zappa_settings.*",
            "**/wrangler.{toml,json,jsonc}",
            "**/{netlify,fly,fly.*}.toml",
            "**/vercel.json",
            "**/render.{yaml,yml}",
            "**/{firebase.json,.firebaserc,firestore.rules,storage.rules}",
            "**/Procfile",
        ],
        content: Some(Mark::Serverless),
    },
    Kind {
        name: "containers",
        covers: "Dockerfiles, Containerfiles, Compose, Swarm stacks, Bake, Podman Quadlets and \
                 Vagrantfiles",
        paths: &[
            "**/{Dockerfile,Containerfile}",
            "**/{Dockerfile,Containerfile}{.,-}*",
            "**/*.{dockerfile,containerfile}",
            "**/{docker-,podman-,}compose{,.*,-*,_*}.{yml,yaml}{,.*}",
            "**/docker-stack*.{yml,yaml}",
            "**/docker-bake*.{hcl,json}",
            "**/{.dockerignore,.containerignore,*.dockerignore}",
            "**/*.{container,kube}",
            "**/Vagrantfile",
        ],
        content: Some(Mark::Compose),
    },
    Kind {
        name: "ci",
        covers: "what builds and deploys: GitHub, GitLab, Gitea, Forgejo, Jenkins, CircleCI, \
                 Drone, Woodpecker, Azure, Bitbucket, Tekton, Buildkite, Travis, Cirrus, \
                 AppVeyor, Semaphore, TeamCity, SourceHut, Cloud Build, CodeBuild, Earthly, \
                 GoReleaser, Dependabot and Renovate",
        paths: &[
            ".{github,gitea,forgejo}/{workflows,actions,scripts}/**",
            ".github/dependabot.{yml,yaml}",
            "**/action.{yml,yaml}",
            "**/.gitlab-ci*.{yml,yaml}",
            "**/*.gitlab-ci.{yml,yaml}",
            ".gitlab/**/*.{yml,yaml}",
            "**/{Jenkinsfile,Jenkinsfile.*,Jenkinsfile-*,*.jenkinsfile}",
            "vars/*.groovy",
            ".{circleci,woodpecker,tekton,buildkite,semaphore,teamcity,builds,ci}/**",
            ".{azuredevops,azure-pipelines,pipelines,jenkins,drone}/**",
            ".drone.{yml,yaml,star,jsonnet}",
            ".woodpecker.{yml,yaml}",
            "**/azure-pipelines*.{yml,yaml}",
            "bitbucket-pipelines.{yml,yaml}",
            "{buildkite,.buildkite,buildkite/pipeline}.{yml,yaml,json}",
            "{.travis,.appveyor,appveyor,.build}.{yml,yaml}",
            ".cirrus.{yml,yaml,star}",
            "**/cloudbuild*.{yml,yaml,json}",
            "**/buildspec*.{yml,yaml}",
            "**/Earthfile",
            ".goreleaser*.{yml,yaml}",
            "{,.github/,.gitlab/}{renovate.json,renovate.json5,.renovaterc,.renovaterc.json}",
        ],
        content: Some(Mark::Ci),
    },
    Kind {
        name: "bicep",
        covers: "Bicep, ARM templates and their parameters, and the Azure Developer CLI",
        paths: &[
            "**/*.{bicep,bicepparam}",
            "**/bicepconfig.json",
            "**/azuredeploy*.json",
            "**/{mainTemplate,createUiDefinition}.json",
            "**/arm-templates/**/*.json",
            "**/azure.{yaml,yml}",
        ],
        content: Some(Mark::Arm),
    },
    Kind {
        name: "ansible",
        covers: "Ansible playbooks, roles, inventories, variables, plugins and requirements",
        paths: &[
            "**/ansible.cfg",
            "**/{group_vars,host_vars}/**",
            "**/{playbook,playbooks}/**/*.{yml,yaml}",
            "**/playbook*.{yml,yaml}",
            "**/roles/*/{tasks,handlers,defaults,vars,meta,templates,files,library}/**",
            "**/{tasks,handlers}/main.{yml,yaml}",
            "**/{action,become,callback,filter,inventory,lookup}_plugins/**",
            "**/{inventory,inventories}/**/*.{ini,yml,yaml}",
            "**/{inventory,inventories}/**/hosts",
            "**/{hosts,inventory}.{ini,yml,yaml}",
            "**/{galaxy,requirements,execution-environment}.yml",
            "**/ansible/**",
        ],
        content: Some(Mark::Ansible),
    },
    Kind {
        name: "puppet",
        covers: "Puppet manifests, templates, Hiera data, Puppetfiles and Bolt",
        paths: &[
            "**/*.{pp,epp,eyaml}",
            "**/Puppetfile",
            "**/hiera.{yaml,yml}",
            "**/hieradata/**",
            "data/{nodes,os,roles,environments}/**/*.{yaml,yml,json}",
            "**/modules/*/templates/**/*.erb",
            "**/site-modules/**",
            "environment.conf",
            "**/{bolt,bolt-project,bolt-defaults}.{yaml,yml}",
            "**/puppet/**",
        ],
        content: None,
    },
    Kind {
        name: "chef",
        covers: "Chef cookbooks, Policyfiles, roles, environments, data bags and Test Kitchen",
        paths: &[
            "**/{cookbooks,site-cookbooks,data_bags}/**",
            "**/Berksfile{,.lock}",
            "**/Policyfile*.rb",
            "**/Policyfile*.lock.json",
            "{attributes,recipes,resources,providers,libraries,roles,environments}/*.rb",
            "{roles,environments}/*.json",
            "metadata.rb",
            "**/{,.}kitchen{,.*}.{yml,yaml}",
            "**/{knife,solo}.rb",
        ],
        content: None,
    },
    Kind {
        name: "salt",
        covers: "Salt states, pillars and the configuration of masters and minions",
        paths: &[
            "**/*.sls",
            "**/Saltfile",
            "**/salt/{master,minion,proxy}",
            "**/salt/{master,minion,proxy}.d/**",
        ],
        content: None,
    },
    Kind {
        name: "pulumi",
        covers: "Pulumi projects and stacks, and folders named after it",
        paths: &["**/Pulumi.{yaml,yml}", "**/Pulumi.*.{yaml,yml}", "**/pulumi/**"],
        content: None,
    },
    Kind {
        name: "nix",
        covers: "Nix expressions and locked flakes",
        paths: &["**/*.nix", "**/flake.lock"],
        content: None,
    },
    Kind {
        name: "gate",
        covers: "files that say who may do what here and what a checkout runs or decrypts: \
                 policies, owners, signers, attributes, submodules, keys of git-crypt and SOPS",
        paths: &[
            "**/{portcullis,portcullis*,policy}.toml",
            "**/{portcullis,.portcullis}/**/*.toml",
            "**/{CODEOWNERS,OWNERS,OWNERS_ALIASES}",
            "**/{allowed_signers,authorized_keys,keyring}{,.*}",
            "**/{.gitattributes,.gitmodules,.lfsconfig}",
            ".github/settings.{yml,yaml}",
            "**/.sops.{yaml,yml}",
            ".git-crypt/**",
        ],
        content: None,
    },
];
