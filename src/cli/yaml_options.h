// Options from YAML: the same names as the flags, checked one by one, with the line in every complaint.
#pragma once

#include <yaml-cpp/yaml.h>

#include <set>
#include <string>

#include "imgmill/base/result.h"

namespace CLI {
class App;
}

namespace imgmill {

/// Reads a YAML file. Errors name file, line and column.
Result<YAML::Node> LoadYaml(const std::string& path);

/// "FILE:12: ..."
std::string AtLine(const std::string& path, const YAML::Node& node, const std::string& what);

/// Sets each key of `map` as the flag of that name, unless the flag was given already (a flag wins). Unknown
/// keys and values that do not fit are kUsage errors with the line and a "did you mean". Keys in `leave_out`
/// belong to somebody else. Values of options that name files or folders are taken relative to the YAML file.
Status ApplyYaml(const YAML::Node& map, const std::string& path, CLI::App& app,
                 const std::set<std::string>& leave_out);

/// The path that a scalar node names: a relative one as seen from the folder of `yaml_path`, one that begins
/// with
/// "~/" as seen from the home folder. kUsage for what only a shell would expand, unless something is called
/// so.
Result<std::string> PathAt(const YAML::Node& node, const std::string& yaml_path);

}  // namespace imgmill
