//! The README against what it shows: marked regions of the programs that `conformance/run` and the tests run, and the flags.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// The SDKs of ECS that `conformance/run` runs: package, manifest that pins it, and the file whose region makes the client.
const SDKS: [[&str; 3]; 11] = [
    ["aliyun-python-sdk-core", "python/requirements.txt", "python/client_v1.py"],
    ["aliyun-python-sdk-ecs", "python/requirements.txt", "python/client_v1.py"],
    ["alibabacloud-ecs20140526", "python/requirements.txt", "python/client_v2.py"],
    ["@alicloud/pop-core", "node/package.json", "node/client-pop-core.js"],
    ["@alicloud/ecs20140526", "node/package.json", "node/client-ecs20140526.js"],
    ["github.com/aliyun/alibaba-cloud-sdk-go", "go/go.mod", "go/cmd/v1/client.go"],
    ["github.com/alibabacloud-go/ecs-20140526", "go/go.mod", "go/cmd/v2/client.go"],
    ["github.com/alibabacloud-go/tea-rpc", "go/go.mod", "go/cmd/tearpc/client.go"],
    ["com.aliyun:aliyun-java-sdk-core", "java/pom.xml", "java/src/main/java/ecsim/conformance/V1Client.java"],
    ["com.aliyun:aliyun-java-sdk-ecs", "java/pom.xml", "java/src/main/java/ecsim/conformance/V1Client.java"],
    ["com.aliyun:ecs20140526", "java/pom.xml", "java/src/main/java/ecsim/conformance/V2Client.java"],
];

/// Those of RAM and STS: package, and the manifest that pins it.
const RAM_AND_STS_SDKS: [[&str; 2]; 8] = [
    ["aliyun-python-sdk-ram", "python/requirements.txt"],
    ["aliyun-python-sdk-sts", "python/requirements.txt"],
    ["alibabacloud-ram20150501", "python/requirements.txt"],
    ["alibabacloud-sts20150401", "python/requirements.txt"],
    ["@alicloud/ram20150501", "node/package.json"],
    ["@alicloud/sts20150401", "node/package.json"],
    ["com.aliyun:ram20150501", "java/pom.xml"],
    ["com.aliyun:sts20150401", "java/pom.xml"],
];

fn text(path: impl AsRef<Path>) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Where the programs are that the README shows.
const FOLDERS: [&str; 2] = ["conformance", "examples"];

/// What stands in the README below a comment that names a file of one of these folders: file and code block.
fn shown(readme: &str) -> Vec<(&str, &str)> {
    let block = |part| {
        let (file, rest): (&str, &str) = str::split_once(part, " -->\n```").expect("a file, then a code block");
        let (_language, rest) = rest.split_once('\n').expect("a language");
        (file, &rest[..rest.find("```\n").expect("an end")])
    };
    let is_of_a_file = |part: &&str| part.split_once('/').is_some_and(|(folder, _)| FOLDERS.contains(&folder));
    readme.split("<!-- ").filter(is_of_a_file).map(block).collect()
}

/// The lines of a file between its marks; gofmt puts an empty one before the second. An example is a test only when it is
/// run as one.
fn region(file: &str) -> String {
    let text = text(file).replace("#[cfg_attr(test, tokio::test)]", "#[tokio::test]");
    let lines = text.lines().skip_while(|line| !line.ends_with(" README: begin")).skip(1);
    let lines: Vec<&str> = lines.take_while(|line| !line.ends_with(" README: end")).collect();
    lines.join("\n").trim_end().to_owned() + "\n"
}

fn is_pinned(package: &str, manifest: &str) {
    let artifact = package.rsplit(':').next().expect("a name");
    assert!(text(Path::new("conformance").join(manifest)).contains(artifact), "{manifest} has no {package}");
}

/// The files of a folder that have a mark, by their paths.
fn marked(folder: &Path) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root.join(folder)).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.strip_prefix(root).expect("below");
        if path.is_dir() {
            found.extend(marked(name));
        } else if String::from_utf8_lossy(&std::fs::read(&path).expect("a file")).contains(" README: begin\n") {
            found.push(name.to_string_lossy().into_owned());
        }
    }
    found
}

#[test]
fn the_readme_shows_programs_that_run() {
    let readme = text("README.md");
    let shown = shown(&readme);
    for (file, block) in &shown {
        assert_eq!(*block, region(file), "{file} differs");
        assert!(!block.trim().is_empty(), "{file} has no region");
    }
    for folder in FOLDERS {
        let marked = marked(Path::new(folder));
        assert!(!marked.is_empty(), "{folder}");
        for file in marked {
            assert!(shown.iter().any(|(name, _)| *name == file), "{file} is not shown");
        }
    }
}

#[test]
fn the_readme_shows_how_each_official_sdk_makes_its_client() {
    let readme = text("README.md");
    for [package, manifest, file] in SDKS {
        is_pinned(package, manifest);
        let section = readme.split("<details>").find(|section| section.contains(&format!("<code>{package}</code>")));
        let section = section.unwrap_or_else(|| panic!("{package} is not shown"));
        assert!(section.contains(&format!("<!-- conformance/{file} -->")), "{package} is shown without its client");
    }
}

#[test]
fn the_readme_tells_how_the_sdks_of_ram_and_sts_that_are_run_make_their_clients() {
    let readme = text("README.md");
    let rows: Vec<&str> = readme.lines().filter(|line| line.starts_with('|')).collect();
    for [package, manifest] in RAM_AND_STS_SDKS {
        is_pinned(package, manifest);
        assert!(rows.iter().any(|row| row.contains(&format!("`{package}`"))), "{package} is not shown");
    }
}

#[test]
fn the_readme_installs_the_versions_that_are_run() {
    let pinned = text("conformance/python/requirements.txt");
    let readme = text("README.md");
    let is_version =
        |word: &&str| word.split_once("==").is_some_and(|(name, version)| !name.is_empty() && !version.is_empty());
    let named: BTreeSet<&str> = readme.split([' ', '`', '\n']).filter(is_version).collect();
    assert_eq!(named.len(), 3, "{named:?}");
    for version in named {
        assert!(pinned.lines().any(|line| line == version), "{version}");
    }
}

#[test]
fn the_readme_and_the_sub_command_env_give_terraform_the_same_settings() {
    let readme = text("README.md");
    let (_, block) = readme.split_once("```hcl\n").expect("a block");
    let (block, _) = block.split_once("```").expect("an end");
    let commented = format!("#   {}\n", block.trim_end().replace('\n', "\n#   "));
    let env = Command::new(env!("CARGO_BIN_EXE_ecsim")).arg("env").output().expect("runs");
    assert!(String::from_utf8(env.stdout).expect("text").contains(&commented), "{commented}");
}

#[test]
fn the_readme_names_every_flag() {
    let readme = text("README.md");
    let help = Command::new(env!("CARGO_BIN_EXE_ecsim")).args(["serve", "--help"]).output().expect("runs");
    let help = String::from_utf8(help.stdout).expect("text");
    for flag in help.split("--").skip(1).map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '-').next()) {
        let flag = flag.unwrap_or_default();
        assert!(flag == "help" || readme.contains(&format!("`--{flag}")), "--{flag}");
    }
}
