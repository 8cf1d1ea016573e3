// `imgmill catalog info|prune|compact`: what runs remember of files, forgetting those that are gone, and
// giving their space back.
#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "archive/archive_path.h"
#include "base/counted.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "catalog/catalog_database.h"
#include "cli/session/session.h"
#include "cli/session/stop_signals.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/base/spelling.h"
#include "imgmill/catalog/catalog.h"
#include "imgmill/catalog/finished_work.h"
#include "imgmill/catalog/upkeep.h"
#include "imgmill/commands/flags.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/report/run_report.h"
#include "tool.h"

namespace imgmill {
namespace {

class CatalogTool final : public Tool {
 public:
  explicit CatalogTool(Flags& flags) {
    flags.Footer(
        "Example:\n"
        "  imgmill catalog info photos                what runs over this folder remember\n"
        "  imgmill catalog prune photos               forgets the files that are gone\n"
        "  imgmill catalog compact photos             and their vectors");
    flags.Add("what", what_, "info, prune or compact").Words(kWhat).Required().Type("WHAT");
    flags
        .Add("paths", paths_,
             "The folders that a command was given: their default catalog is meant; or an output folder")
        .Type("DIR");
    flags
        .Add("--catalog", catalog_,
             "The catalog's own folder, in place of that (prune: paths are where files may be now)")
        .Type("DIR");
    flags.AddSwitch("--dry-run", dry_run_, "prune, compact: only count what would go");
    flags.AddSwitch(
        "--forget-imported", forget_imported_,
        "prune: forget imported vectors of files that are gone, too; nobody can compute them again");
    flags.AddSwitch("--json", json_, "One JSON document on stdout");
  }

  ExitCode Run() override {
    if (std::find(kWhat.begin(), kWhat.end(), what_) == kWhat.end()) {
      const auto guess = DidYouMean(what_, kWhat);
      return Complain("unknown argument \"" + PrintablePath(what_) + "\"" +
                      (guess ? "; did you mean \"" + *guess + "\"?" : " (info, prune or compact)"));
    }
    if (paths_.empty() == catalog_.empty() && !(what_ == "prune" && !catalog_.empty()))
      return Complain("which catalog? Name the folders that it is of, or its own folder with --catalog");
    if (dry_run_ && what_ == "info") return Complain("--dry-run goes with prune and compact");
    if (forget_imported_ && what_ != "prune") return Complain("--forget-imported goes with prune");
    const Result<nlohmann::ordered_json> document = Do();
    if (!document) {
      std::fprintf(stderr, "imgmill: error: %s\n", document.error().message.c_str());
      return ExitCodeFor(document.error());
    }
    return Print(json_ ? JsonText(*document) : text_);
  }

 private:
  static inline const std::vector<std::string> kWhat = {"info", "prune", "compact"};

  static ExitCode Complain(const std::string& text) {
    std::fprintf(stderr, "imgmill: error: %s\n", text.c_str());
    return ExitCode::kUsage;
  }

  /// The catalog of the paths as inputs or, of one that is or lies in an output folder, that folder's own.
  Result<std::string> Folder() const {
    if (!catalog_.empty()) return catalog_;
    std::vector<std::string> roots;
    for (const std::string& path : paths_) roots.push_back(CanonicalOrSame(path));
    std::sort(roots.begin(), roots.end());
    const Result<std::string> of_input = DefaultCatalogFolder("", roots);
    const bool has_own = of_input && HoldsCatalog(*of_input);
    // Of a path that is not there, a misspelt one as may be, the folder above is not meant.
    const bool may_be_output = roots.size() == 1 && Exists(paths_.front());
    const std::optional<std::string> output = may_be_output ? OutputFolderOf(roots[0]) : std::nullopt;
    if (!output) return of_input;
    std::string of_output = Join(*output, ".imgmill");
    if (!has_own) return of_output;
    std::fprintf(stderr,
                 "imgmill: info: %s is an output folder, too; the catalog of that is meant by --catalog %s\n",
                 PrintablePath(*output).c_str(), PrintablePath(of_output).c_str());
    return of_input;
  }

  std::string PathsText() const {
    std::string text;
    for (const std::string& path : paths_) text += (text.empty() ? "" : ", ") + PrintablePath(path);
    return text;
  }

  Result<nlohmann::ordered_json> Do() {
    const std::string folder = TRY(Folder());
    if (!HoldsCatalog(folder)) {
      for (const std::string& path : paths_) {
        if (!Exists(path)) return UsageError(PrintablePath(path) + ": no such folder");
      }
      if (!catalog_.empty())
        return UsageError(PrintablePath(folder) +
                          " holds no catalog (name its own folder: that of a command with -o is the output "
                          "folder's .imgmill)");
      return UsageError("there is no catalog of " + PathsText() +
                        " (a catalog is of just the folders that a command was given together; that of a "
                        "command with -o is in its output folder: name that)");
    }
    const std::unique_ptr<FolderLock> lock = TRY(FolderLock::Take(folder, "imgmill catalog " + what_));
    return what_ == "info" ? Info(folder) : what_ == "prune" ? Prune(folder) : Compact(folder);
  }

  Result<nlohmann::ordered_json> Info(const std::string& folder) {
    const CatalogFigures figures = TRY(LookAtCatalog(folder));
    nlohmann::ordered_json json = {{"catalog", PrintablePath(folder)},
                                   {"bytes", figures.bytes},
                                   {"files", figures.files},
                                   {"contents", figures.contents},
                                   {"finished_outputs", figures.finished},
                                   {"facts", nlohmann::ordered_json::array()},
                                   {"vectors", nlohmann::ordered_json::array()}};
    text_ = PrintablePath(folder) + "\n" + Counted(figures.files, "file") + " with " +
            Counted(figures.contents, "content") + ", " + Counted(figures.finished, "finished output") +
            "; a database of " + FormatByteSize(figures.bytes) + "\n";
    for (const CatalogFigures::Facts& each : figures.facts) {
      json["facts"].push_back(
          {{"name", PrintablePath(each.name)}, {"count", each.count}, {"bytes", each.bytes}});
      text_ += "  " + Counted(each.count, "fact") + ", " + FormatByteSize(each.bytes) + ": " +
               PrintablePath(each.name) + "\n";
    }
    for (const CatalogFigures::Vectors& each : figures.vectors) {
      json["vectors"].push_back({{"kind", PrintablePath(each.kind)},
                                 {"dimension", each.dimension},
                                 {"rows", each.rows},
                                 {"bytes", each.bytes}});
      text_ += "  " + Counted(each.rows, "vector") + " of " + std::to_string(each.dimension) + ", " +
               FormatByteSize(each.bytes) + ": " + PrintablePath(each.kind) + "\n";
    }
    return json;
  }

  Result<nlohmann::ordered_json> Prune(const std::string& folder) {
    PruneOptions options;
    for (const std::string& path : paths_) options.look_in.push_back(CanonicalOrSame(path));
    options.forget_imported = forget_imported_;
    options.dry_run = dry_run_;
    const PrunedCatalog pruned = TRY(PruneCatalog(folder, options, InstallStopSignals()));
    if (pruned.imported_kept > 0)
      std::fprintf(stderr,
                   "imgmill: warning: what is known of %s, since vectors were imported for %s that cannot be "
                   "computed again (name the folders where files are now; --forget-imported forgets them)\n",
                   (Counted(pruned.imported_kept, "file") +
                    (pruned.imported_kept == 1 ? " that is gone is kept" : " that are gone is kept"))
                       .c_str(),
                   pruned.imported_kept == 1 ? "it" : "them");
    if (pruned.moved > 0)
      text_ = Counted(pruned.moved, "file") + (pruned.moved == 1 ? " lies" : " lie") +
              " elsewhere now, and " + (dry_run_ ? "would be known there\n" : "are known there\n");
    text_ += Counted(pruned.files, "file") + (dry_run_ ? " would be forgotten\n" : " forgotten, ");
    if (!dry_run_)
      text_ += Counted(pruned.facts, "fact") + " of contents that no file has any more; the database had " +
               FormatByteSize(pruned.bytes_before) + " and has " + FormatByteSize(pruned.bytes_after) + "\n";
    return nlohmann::ordered_json{{"catalog", PrintablePath(folder)},
                                  {"dry_run", dry_run_},
                                  {"files", pruned.files},
                                  {"moved", pruned.moved},
                                  {"imported_kept", pruned.imported_kept},
                                  {"facts", pruned.facts},
                                  {"bytes_before", pruned.bytes_before},
                                  {"bytes_after", pruned.bytes_after}};
  }

  Result<nlohmann::ordered_json> Compact(const std::string& folder) {
    const std::vector<CompactedVectors> files = TRY(CompactCatalog(folder, dry_run_, InstallStopSignals()));
    nlohmann::ordered_json json = {{"catalog", PrintablePath(folder)},
                                   {"dry_run", dry_run_},
                                   {"vectors", nlohmann::ordered_json::array()}};
    if (files.empty()) text_ = "no vectors\n";
    for (const CompactedVectors& each : files) {
      json["vectors"].push_back({{"kind", PrintablePath(each.kind)},
                                 {"dimension", each.dimension},
                                 {"rows_before", each.rows_before},
                                 {"rows_after", each.rows_after},
                                 {"bytes_before", each.bytes_before},
                                 {"bytes_after", each.bytes_after}});
      text_ += Counted(each.rows_before, "vector") + " of " + std::to_string(each.dimension) + ", " +
               FormatByteSize(each.bytes_before) + ", " + (dry_run_ ? "would become " : "are now ") +
               std::to_string(each.rows_after) + ", " + FormatByteSize(each.bytes_after) + ": " +
               PrintablePath(each.kind) + "\n";
    }
    return json;
  }

  std::string what_;
  std::vector<std::string> paths_;
  std::string catalog_;
  bool dry_run_ = false;
  bool forget_imported_ = false;
  bool json_ = false;
  std::string text_;
};

}  // namespace

std::unique_ptr<Tool> AddCatalog(Flags& flags) {
  return std::make_unique<CatalogTool>(flags);
}

}  // namespace imgmill
