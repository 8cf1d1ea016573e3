// Feeds YAML values through the flags' own parsing and validation.
#include "yaml_options.h"

#include <sys/stat.h>
#include <yaml-cpp/eventhandler.h>

#include <CLI/CLI.hpp>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <ios>
#include <iterator>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "base/try.h"
#include "base/usage_error.h"
#include "flag_errors.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/infer/own_models.h"

namespace imgmill {
namespace {

bool NamesAPath(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.starts_with("FILE") || type == "DIR" || type == "PATH";
}

/// "configs/" becomes "", so that "configs/../photos" reads "photos". Not where ".." leads elsewhere: after a
/// symbolic link, "..", "." or the root.
bool DropLastFolder(std::string& folder) {
  if (folder.size() < 2) return false;
  const std::string path = folder.substr(0, folder.size() - 1);
  const size_t slash = path.rfind('/');
  const size_t start = slash == std::string::npos ? 0 : slash + 1;
  const std::string name = path.substr(start);
  struct stat info = {};
  if (name.empty() || name == "." || name == ".." || ::lstat(path.c_str(), &info) != 0) return false;
  if (!S_ISDIR(info.st_mode)) return false;
  folder.resize(start);
  return true;
}

/// A relative path as seen from the folder of `yaml_path`.
std::string RelativeToFile(const std::string& value, const std::string& yaml_path) {
  const size_t slash = yaml_path.rfind('/');
  if (value.empty() || value[0] == '/' || value == "-" || slash == std::string::npos) return value;
  std::string folder = yaml_path.substr(0, slash + 1);
  std::string rest = value;
  while (rest.starts_with("../") && DropLastFolder(folder)) rest.erase(0, 3);
  return folder.empty() && rest.empty() ? "." : folder + rest;
}

/// "$HOME/photos", "${DATA}/a", "~anna/photos": nobody calls a folder so who does not mean a shell's word.
bool NeedsShell(const std::string& value) {
  if (value.starts_with('~')) return true;
  for (size_t at = value.find('$'); at != std::string::npos; at = value.find('$', at + 1)) {
    const bool begins = at == 0 || value[at - 1] == '/';
    const unsigned char next = at + 1 < value.size() ? static_cast<unsigned char>(value[at + 1]) : 0;
    if (begins && (std::isalpha(next) != 0 || next == '_' || next == '{' || next == '(')) return true;
  }
  return false;
}

/// Notes of a document where it begins, and where its content does, if it has any.
class DocumentLook final : public YAML::EventHandler {
 public:
  void OnDocumentStart(const YAML::Mark& mark) override {
    start = mark;
    content.reset();
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { Note(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t, const std::string&) override {
    Note(mark);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                       YAML::EmitterStyle::value) override {
    Note(mark);
  }
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t,
                  YAML::EmitterStyle::value) override {
    Note(mark);
  }
  void OnMapEnd() override {}

  YAML::Mark start;
  std::optional<YAML::Mark> content;

 private:
  void Note(const YAML::Mark& mark) {
    if (!content) content = mark;
  }
};

/// One with content, other than that behind a "---" at the end. By hand, since YAML::LoadAll makes documents
/// without end where its parser stands still: of "," it takes all memory.
std::optional<Error> FindSecondDocument(const std::string& path, const std::string& text) {
  std::istringstream stream(text);
  YAML::Parser parser(stream);
  DocumentLook look;
  int last = -1;
  for (int documents = 0; parser.HandleNextDocument(look); ++documents) {
    if (look.start.pos <= last) {
      return UsageError(PrintablePath(path) + ":" + std::to_string(look.start.line + 1) + ":" +
                        std::to_string(look.start.column + 1) + ": this is not YAML");
    }
    if (documents > 0 && look.content) {
      return UsageError(
          PrintablePath(path) + ":" + std::to_string(look.content->line + 1) +
          ": a second YAML document begins here, and it would be ignored (put one in each file)");
    }
    last = look.start.pos;
  }
  return std::nullopt;
}

std::vector<std::string> FlagNames(CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (name != "help" && name != "config") names.push_back(name);
    }
  }
  return names;
}

}  // namespace

std::string AtLine(const std::string& path, const YAML::Node& node, const std::string& what) {
  return PrintablePath(path) + ":" + std::to_string(node.Mark().line + 1) + ": " + what;
}

Result<std::string> PathAt(const YAML::Node& node, const std::string& yaml_path) {
  const std::string value = node.Scalar();
  if (value == "~" || value.starts_with("~/")) {
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0')
      return UsageError(
          AtLine(yaml_path, node, "\"" + PrintablePath(value) + "\": there is no HOME to begin at"));
    return home + value.substr(1);
  }
  std::string path = RelativeToFile(value, yaml_path);
  if (!NeedsShell(value) || Exists(path)) return path;
  return UsageError(AtLine(
      yaml_path, node,
      "\"" + PrintablePath(value) + "\": of a path only ~/ at its beginning is expanded; write it out"));
}

Result<YAML::Node> LoadYaml(const std::string& path) {
  try {
    std::ifstream file(path, std::ios::binary);
    if (!file) return UsageError(PrintablePath(path) + ": cannot be read: " + ErrnoText(errno));
    const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    if (const std::optional<Error> more = FindSecondDocument(path, text)) return *more;
    return YAML::Load(text);
  } catch (const YAML::BadFile&) {
    return UsageError(PrintablePath(path) + ": cannot be read");
  } catch (const std::ios_base::failure&) {  // a folder can be opened, not read
    std::error_code none;
    return UsageError(PrintablePath(path) + (std::filesystem::is_directory(path, none)
                                                 ? ": is a folder, not a YAML file"
                                                 : ": cannot be read"));
  } catch (const YAML::Exception& problem) {
    return UsageError(PrintablePath(path) + ":" + std::to_string(problem.mark.line + 1) + ":" +
                      std::to_string(problem.mark.column + 1) + ": " + problem.msg);
  }
}

Status ApplyYaml(const YAML::Node& map, const std::string& path, CLI::App& app,
                 const std::set<std::string>& leave_out) {
  if (map.IsNull()) return {};
  if (!map.IsMap()) return UsageError(AtLine(path, map, "expected \"name: value\" lines"));
  std::set<std::string> seen;
  for (const auto& entry : map) {
    const std::string key = entry.first.as<std::string>("");
    const YAML::Node& value = entry.second;
    if (!seen.insert(key).second)
      return UsageError(AtLine(path, entry.first, "\"" + key + "\" is given twice here"));
    if (leave_out.contains(key)) continue;
    CLI::Option* option = app.get_option_no_throw(key == "paths" ? key : "--" + key);
    if (option == nullptr || key == "help" || key == "config") {
      std::string what = "unknown option \"" + key + "\"";
      std::vector<std::string> names = FlagNames(app);
      names.insert(names.end(), leave_out.begin(), leave_out.end());
      if (const auto guess = DidYouMean(key, names)) what += "; did you mean \"" + *guess + "\"?";
      return UsageError(AtLine(path, entry.first, what));
    }
    if (option->count() > 0) continue;
    const auto value_at = [&,
                           path_wanted = NamesAPath(*option)](const YAML::Node& node) -> Result<std::string> {
      return path_wanted && !NamesOwnModel(node.Scalar()) ? PathAt(node, path) : node.Scalar();
    };
    std::vector<std::string> values;
    if (value.IsScalar()) {
      std::string only = TRY(value_at(value));
      values.push_back(std::move(only));
    } else if (value.IsSequence()) {
      for (const YAML::Node& item : value) {
        if (!item.IsScalar())
          return UsageError(AtLine(path, item, "\"" + key + "\" takes single values, not lists or maps"));
        std::string each = TRY(value_at(item));
        values.push_back(std::move(each));
      }
    } else {
      return UsageError(AtLine(path, entry.first, "\"" + key + "\" needs a value"));
    }
    try {
      for (const std::string& text : values) option->add_result(text);
      option->run_callback();
    } catch (const CLI::Error& problem) {
      std::string what = InPlainWords(problem);
      if (what.starts_with("--" + key + ": ")) what.erase(0, key.size() + 4);
      return UsageError(AtLine(path, entry.first, "\"" + key + "\": " + what));
    } catch (const std::logic_error&) {  // how CLI11 refuses the value of a flag
      return UsageError(AtLine(path, entry.first, "\"" + key + "\" takes true or false"));
    }
  }
  return {};
}

}  // namespace imgmill
