// Opening a session and going through it; session_end.cpp has its end.
#include "session.h"

#include <unistd.h>

#include <cstdio>

#include "archive_memory.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_database.h"
#include "dataset/set_aside.h"
#include "imgmill/base/path_text.h"
#include "imgmill/infer/library_pages.h"
#include "session_paths.h"
#include "set_aside_source.h"
#include "stop_signals.h"

namespace imgmill {

Result<std::unique_ptr<Session>> Session::Open(const SessionPlan& plan, const SharedOptions& shared) {
  std::unique_ptr<Session> session(new Session(plan, shared));
  session->start_ = std::chrono::steady_clock::now();
  TRY(OverwritesNoImage(shared));
  std::unique_ptr<LogOutput> log = TRY(LogOutput::Open(shared.verbosity, shared.log_file));
  session->log_ = std::move(log);
  session->stop_ = &InstallStopSignals();
  TRY(CheckTargets(plan));
  TRY(TakeStdin(shared.list, *session->stop_));
  Session* self = session.get();
  session->services_.shared = &shared;
  session->services_.stop = self->stop_;
  session->services_.log = [self](LogLevel level, const std::string& text) {
    self->log_->Write(level, text);
  };
  return session;
}

/// By the catalog that is there, or an empty one.
Status Session::Check() {
  if (!plan_.check) return {};
  std::string folder = TRY(CatalogFolder());
  std::unique_ptr<FolderLock> lock;
  if (::access(CatalogDatabase(folder).c_str(), R_OK | W_OK) != 0) {
    folder.clear();
  } else if (shared_.mode == RunMode::kRun) {
    std::unique_ptr<FolderLock> taken = TRY(FolderLock::Take(folder, plan_.command_line));
    lock = std::move(taken);
  }
  const std::unique_ptr<Catalog> catalog = TRY(Catalog::Open(folder));
  services_.catalog = catalog.get();
  const Status right = plan_.check(services_);
  services_.catalog = nullptr;
  return right;
}

Status Session::Start() {
  TRY(MakeReportFolders(shared_));
  InitImageLibraries();  // before the manager looks at what the process holds
  TRY(OpenCatalog());
  MemoryOptions options;
  options.host_budget = shared_.memory;
  options.least_lease = plan_.least_lease;
  options.cache = shared_.cache;
  options.batch_sizing = shared_.batch_sizing;
  if (!catalog_->folder().empty()) options.cost_store = catalog_->folder() + "/costs.txt";
  std::unique_ptr<MemoryManager> memory = TRY(MemoryManager::Create(options));
  memory_ = std::move(memory);

  services_.memory = memory_.get();
  services_.catalog = catalog_.get();
  services_.progress = &progress_;
  services_.models = &models_;
  services_.plan = &run_plan_;
  services_.loaded = &loaded_;
  if (services_.wants_verdicts()) services_.observer = &thumbnails_.emplace(*catalog_, *memory_);
  if (shared_.jsonl) services_.put_line = [this](const JsonObject& line) { PutLine(line); };
  progress_.Begin(plan_.name);
  progress_line_ = std::make_unique<LogOutput::ProgressLine>(*log_, progress_, *memory_);
  return {};
}

Session::~Session() = default;

void Session::KeepModels(std::span<const std::string> weight_files) {
  if (loaded_.KeepOnly(weight_files) == 0) return;
  memory_->ClearAll();
  ReleaseLibraryPages();
  memory_->Rebaseline();  // the weights are no fixed part any more
}

std::vector<std::string> Session::CatalogRoots() const {
  if (plan_.catalog_of.empty()) return InputRoots(shared_.list);
  ListOptions listed;
  listed.paths = {plan_.catalog_of};
  return InputRoots(listed);
}

Result<std::string> Session::CatalogFolder() const {
  if (!shared_.catalog.empty() || shared_.no_catalog) return shared_.catalog;
  const std::vector<std::string>& outputs = plan_.output_folders;
  return DefaultCatalogFolder(outputs.empty() ? "" : outputs.front(), CatalogRoots());
}

Status Session::OpenCatalog() {
  const std::vector<std::string>& outputs = plan_.output_folders;
  const std::vector<std::string> roots = CatalogRoots();
  std::string folder = TRY(CatalogFolder());
  const auto placed = [&](Status there) -> Status {
    if (!there && shared_.catalog.empty() && outputs.empty()) return NoPlaceForCatalog(there.error());
    return there;
  };
  if (!folder.empty()) {
    TRY(placed(CheckTargetFolder(folder)));
  }
  if (shared_.mode == RunMode::kPlan || (shared_.mode == RunMode::kDryRun && !outputs.empty())) {
    // Not even a folder may appear; but what is finished already is known only to a catalog that is there.
    if (::access(CatalogDatabase(folder).c_str(), R_OK | W_OK) != 0) folder.clear();
  } else {
    // Runs with other catalogs, or with none, must not meet in one output folder either: so it has a lock of
    // its own, even where the catalog lies in it.
    std::vector<std::string> to_lock = outputs;
    if (!folder.empty()) to_lock.insert(to_lock.begin(), folder);
    for (const std::string& each : to_lock) {
      TRY(placed(MakeFolders(each)));
      std::unique_ptr<FolderLock> lock = TRY(FolderLock::Take(each, plan_.command_line));
      locks_.push_back(std::move(lock));
    }
    for (const std::string& output : outputs) SweepTemporaries(output);
  }
  std::unique_ptr<Catalog> catalog = TRY(Catalog::Open(folder));
  catalog_ = std::move(catalog);
  if (folder.empty()) return {};
  if (shared_.mode == RunMode::kRun) KeepLink(folder, roots);
  for (const std::string& root : roots) {
    const std::optional<FolderIdentity> identity = root == "/" ? std::nullopt : IdentityOf(root);
    if (!identity) continue;
    TRY(catalog_->KnowFolder(root, *identity));
  }
  return {};
}

void Session::LeaveSetAside(ListOptions& list) {
  if (!plan_.leaves_set_aside) return;
  set_aside_ = SetAsideFolders(list);
  for (const std::string& folder : set_aside_) {
    Log(LogLevel::kInfo, PrintablePath(folder) +
                             " is not read, since dedup or filter has put images there (name it as an input, "
                             "or remove its " +
                             kSetAsideMark + ", to have it read)");
  }
  list.leave_out.insert(list.leave_out.end(), set_aside_.begin(), set_aside_.end());
}

std::unique_ptr<ItemSource> Session::TellOfSetAside(std::unique_ptr<ItemSource> source,
                                                    const ListOptions& list) {
  if (!plan_.leaves_set_aside || list.files_from.empty()) return source;
  return TellingOfSetAside(std::move(source), list.paths, [this](const std::string& folder) {
    set_aside_read_.push_back(folder);
    Log(LogLevel::kWarning, "the list names files in " + PrintablePath(folder) +
                                ", where dedup or filter has put images: they are read, and may be kept in "
                                "place of yours (leave them out of the list, or name the folder as an input, "
                                "if that is what you want)");
  });
}

ExitCode RunSession(const SessionPlan& plan, const SharedOptions& shared,
                    const std::function<Result<CommandResult>(std::unique_ptr<ItemSource>, Session&)>& body) {
  for (const auto* folders : {&plan.output_folders, &plan.leave_out}) {
    if (const auto wrong = OutputIsInput(*folders, shared.list)) {
      std::fprintf(stderr, "imgmill: error: %s\n", wrong->c_str());
      return ExitCode::kUsage;
    }
  }
  Result<std::unique_ptr<Session>> opened = Session::Open(plan, shared);
  if (!opened) {
    std::fprintf(stderr, "imgmill: error: %s\n", opened.error().message.c_str());
    return ExitCodeFor(opened.error());
  }
  Session& session = **opened;
  const Status right = session.Check();
  if (!right && right.error().code == Code::kUsage) return session.Refuse(right.error());
  if (const Status started = session.Start(); !started) {
    std::fprintf(stderr, "imgmill: error: %s\n", started.error().message.c_str());
    return ExitCodeFor(started.error());
  }
  if (!right) return session.Finish(right.error());
  const std::shared_ptr<void> archives =
      ReserveForArchives(*session.services().memory, *session.services().stop);
  ListOptions list = ListingOf(plan, shared);
  list.stop = session.services().stop;
  session.LeaveSetAside(list);
  Result<std::unique_ptr<ItemSource>> source = SourceFromListing(list, /*count=*/true);
  if (!source) return session.Finish(source.error());
  source = session.TellOfSetAside(*std::move(source), list);
  try {
    Result<CommandResult> result = body(*std::move(source), session);
    return result ? session.Finish(*std::move(result)) : session.Finish(result.error());
  } catch (const std::bad_alloc&) {
    return session.Finish(
        Error{Stage::kAdmit, Code::kOutOfMemory, "out of memory outside of any image's work"});
  } catch (const std::exception& problem) {
    return session.Finish(
        Error{Stage::kReduce, Code::kInternal, std::string("the run cannot continue: ") + problem.what()});
  }
}

}  // namespace imgmill
