// Merges arguments and the entries of a list into one stream of files.
#include "imgmill/dataset/listing.h"

#include <sys/stat.h>

#include <cerrno>
#include <unordered_set>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "dataset/arguments.h"
#include "dataset/folder_walk.h"
#include "dataset/path_list.h"
#include "dataset/sorted_paths.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"

namespace imgmill {
namespace {

std::unordered_set<std::string> CanonicalSet(const std::vector<std::string>& folders) {
  std::unordered_set<std::string> canonical;
  for (const std::string& folder : folders) {
    if (std::optional<std::string> path = Canonical(folder)) canonical.insert(*std::move(path));
  }
  return canonical;
}

class ListerOfAll final : public Lister {
 public:
  explicit ListerOfAll(const ListOptions& options)
      : filter_(options.include, options.exclude, options.videos),
        everything_({}, {}, options.videos),
        leave_out_(CanonicalSet(options.leave_out)),
        rules_{filter_, options.recursive, leave_out_, options.stop},
        arguments_(options.paths, rules_, problems_) {}

  Status OpenList(const ListOptions& options) {
    TRY(ReadPathList(options, list_, [this](const std::string& folder) {
      arguments_.ExpectFolder(CanonicalOrSame(folder));
    }));
    return Pull();
  }

  std::optional<ListedFile> Next() override {
    while (true) {
      std::optional<ListedFile> file = walk_ ? NextOfWalk() : NextOfArguments();
      if (!file && walk_ == nullptr && AtEnd()) return std::nullopt;
      if (!file) continue;
      file->index = next_index_++;
      return file;
    }
  }

  const std::vector<ListProblem>& problems() const override { return problems_; }
  const IgnoredFiles& ignored() const override { return ignored_; }

 private:
  bool AtEnd() const { return next_argument_ == arguments_.all().size() && !entry_; }

  std::optional<ListedFile> NextOfWalk() {
    while (std::optional<ListedFile> file = walk_->Next()) {
      if (walk_overlaps_) {
        const std::string canonical = Join(walk_canonical_, file->relative);
        if (arguments_.ListsElsewhere(canonical, walk_canonical_)) continue;
        if (walk_of_list_ && arguments_.NamesFile(canonical)) continue;
      }
      file->relative.insert(0, walk_prefix_);
      return file;
    }
    ignored_.Add(walk_->ignored());
    walk_.reset();
    return std::nullopt;
  }

  void Walk(const std::string& path, const std::string& canonical, const std::string& prefix, bool overlaps,
            bool of_list) {
    walk_ = std::make_unique<FolderWalk>(rules_, path, canonical, problems_);
    walk_canonical_ = canonical;
    walk_prefix_ = prefix;
    walk_overlaps_ = overlaps;
    walk_of_list_ = of_list;
  }

  /// A file, or nothing when a folder's walk begins, or the path led to none.
  std::optional<ListedFile> NextOfArguments() {
    const std::vector<Argument>& arguments = arguments_.all();
    const bool has_argument = next_argument_ < arguments.size();
    if (entry_ && (!has_argument || *entry_ < arguments[next_argument_].path)) return NextOfList();
    if (!has_argument) return std::nullopt;
    const Argument& argument = arguments[next_argument_++];
    if (argument.folder) {
      Walk(argument.path, argument.canonical, argument.relative, argument.nested, false);
      return std::nullopt;
    }
    return ListedFile{0, argument.path, argument.relative, argument.clash};
  }

  std::optional<ListedFile> NextOfList() {
    const std::string path = *std::move(entry_);
    if (Status pulled = Pull(); !pulled) problems_.push_back({path, pulled.error()});
    struct stat info {};
    if (StatPath(path, &info) != 0) {
      Error error = StatError(path, errno);
      if (error.code == Code::kInterrupted) return std::nullopt;  // a rerun looks again
      if (path.ends_with('\r'))
        error.message += " (some lines of the list have Windows line ends: convert it)";
      problems_.push_back({path, std::move(error)});
      return std::nullopt;
    }
    if (S_ISDIR(info.st_mode) || IsArchive(path)) {
      const std::string canonical = CanonicalOrSame(path);
      std::string prefix = StoredName(path);
      if (!prefix.empty()) prefix += '/';
      if (arguments_.AddFolder(canonical)) Walk(path, canonical, prefix, true, true);
      return std::nullopt;
    }
    if (!S_ISREG(info.st_mode)) {
      problems_.push_back(
          {path, Error{Stage::kList, Code::kUnsupported, "it is neither a file nor a folder"}});
      return std::nullopt;
    }
    EnterFolderOfEntry(ParentOf(path));
    const std::string canonical = Join(entry_folder_canonical_, NameOf(path));
    const bool elsewhere = arguments_.NamesFile(canonical) || arguments_.ListsElsewhere(canonical, "");
    if (elsewhere || arguments_.IsExpected(canonical)) return std::nullopt;
    return ListedFile{0, path, StoredName(path), entry_folder_names_.ClashOf(NameOf(path))};
  }

  /// In a sorted list the entries of a folder follow one another: its names are read once, or nearly so.
  void EnterFolderOfEntry(const std::string& folder) {
    if (folder == entry_folder_) return;
    entry_folder_ = folder;
    entry_folder_canonical_ = CanonicalOrSame(folder);
    Result<FolderNames> names = FolderNames::Read(folder, "", everything_);
    // A folder may be passable but not readable; then no neighbours are known.
    entry_folder_names_ = names ? *std::move(names) : FolderNames();
  }

  /// Takes the list's next entry.
  Status Pull() {
    entry_.reset();
    std::optional<std::string> next = TRY(list_.Next());
    entry_ = std::move(next);
    return {};
  }

  const PathFilter filter_;
  const PathFilter everything_;
  const std::unordered_set<std::string> leave_out_;
  const WalkRules rules_;
  std::vector<ListProblem> problems_;
  Arguments arguments_;
  size_t next_argument_ = 0;
  SortedPaths list_;
  std::optional<std::string> entry_;
  std::string entry_folder_;
  std::string entry_folder_canonical_;
  FolderNames entry_folder_names_;
  std::unique_ptr<FolderWalk> walk_;
  std::string walk_canonical_;
  std::string walk_prefix_;
  bool walk_overlaps_ = false;
  bool walk_of_list_ = false;
  uint64_t next_index_ = 0;
  IgnoredFiles ignored_;
};

}  // namespace

std::optional<std::string> ListOptions::Check() const {
  if (nul_separated && files_from.empty()) return "-0 goes with --files-from, which is not given";
  for (const auto* patterns : {&include, &exclude}) {
    for (const std::string& pattern : *patterns) {
      if (pattern.empty()) return "an empty pattern for --include or --exclude matches nothing";
    }
  }
  for (const std::string& path : paths) {
    if (path.empty()) return "an empty path is not a valid input";
  }
  return std::nullopt;
}

Result<std::unique_ptr<Lister>> Lister::Open(const ListOptions& options) {
  if (const std::optional<std::string> wrong = options.Check()) {
    return UsageError(*wrong);
  }
  auto lister = std::make_unique<ListerOfAll>(options);
  if (!options.files_from.empty()) {
    TRY(lister->OpenList(options));
  }
  return std::unique_ptr<Lister>(std::move(lister));
}

Result<uint64_t> CountListed(const ListOptions& options) {
  struct stat info {};
  const bool has_list = !options.files_from.empty();
  if (options.files_from == "-") return uint64_t{0};
  if (has_list && ::stat(options.files_from.c_str(), &info) == 0 && !S_ISREG(info.st_mode))
    return uint64_t{0};
  std::unique_ptr<Lister> lister = TRY(Lister::Open(options));
  uint64_t count = 0;
  while (lister->Next()) ++count;
  return count;
}

}  // namespace imgmill
