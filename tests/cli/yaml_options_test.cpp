// YAML files that are no options: told where they go wrong, and soon.
#include "cli/yaml_options.h"

#include <doctest/doctest.h>

#include <fstream>

#include "dataset/test_folder.h"

using namespace imgmill;

namespace {

/// What is wrong with a file of this text, without its path; empty if nothing is.
std::string Wrong(const std::string& text) {
  const TestFolder folder;
  const std::string path = folder.path() + "/f.yaml";
  std::ofstream(path, std::ios::binary) << text;
  const Result<YAML::Node> yaml = LoadYaml(path);
  return yaml ? "" : yaml.error().message.substr(path.size());
}

}  // namespace

TEST_CASE("text at which the parser stands still is no YAML") {
  // As fuzzing found it: each took all memory, as documents without end. By YAML 1.2, 5.3, "," and "]" are
  // indicators that begin no plain text.
  CHECK(Wrong(",\x05") == ":1:1: this is not YAML");
  CHECK(Wrong("# note\n  , a\n") == ":2:3: this is not YAML");
}

TEST_CASE("a second document is refused where its content begins, an empty one is none") {
  CHECK(Wrong("a: 1\n---\nb: 2\n").starts_with(":3: a second YAML document begins here"));
  CHECK(Wrong("a: 1\n---\n") == "");
  CHECK(Wrong("---\na: 1\n...\n---\n") == "");
  CHECK(Wrong("") == "");
}
