// A few records are open at once, since files of several folders may go in turn.
#include "acted_elsewhere.h"

#include <utility>

#include "base/path_parts.h"
#include "base/try.h"
#include "deleted_outputs.h"
#include "imgmill/base/path_text.h"
#include "imgmill/catalog/finished_work.h"

namespace imgmill {
namespace {

constexpr size_t kMostOpen = 8;

}  // namespace

void ActedElsewhere::Add(const FileAction& action) {
  if (action.kind != FileAction::Kind::kMove && !action.takes_away()) return;
  if (std::string folder = ParentOf(action.path); folder != last_folder_) {
    last_record_ = OutputFolderOf(folder);
    if (last_record_ && Join(*last_record_, ".imgmill") == CanonicalOrEntry(services_.catalog->folder()))
      last_record_.reset();
    last_folder_ = std::move(folder);
  }
  if (!last_record_ || failed_.contains(*last_record_)) return;
  if (const Status added = AddTo(*last_record_, action); !added) Warn(*last_record_, added.error());
}

Status ActedElsewhere::AddTo(const std::string& output_folder, const FileAction& action) {
  Record* record = TRY(Open(output_folder));
  // Somebody's own file in there is on no record.
  if (RowsOfDeleted(*record->catalog, action.path).empty()) return {};
  return record->acted->Add(action);
}

Result<ActedElsewhere::Record*> ActedElsewhere::Open(const std::string& output_folder) {
  if (const auto open = records_.find(output_folder); open != records_.end()) return &open->second;
  if (records_.size() >= kMostOpen) Put();
  const std::string folder = Join(output_folder, ".imgmill");
  Record record;
  record.lock = TRY(FolderLock::Take(folder, "imgmill " + command_));
  record.catalog = TRY(Catalog::Open(folder));
  record.acted = std::make_unique<ActedFiles>(command_, folders_, *record.catalog);
  return &records_.emplace(output_folder, std::move(record)).first->second;
}

Status ActedElsewhere::Put(const Record& record) {
  TRY(record.acted->Put());
  return record.catalog->Flush();
}

void ActedElsewhere::Put() {
  for (const auto& [folder, record] : records_) {
    if (const Status put = Put(record); !put) Warn(folder, put.error());
  }
  records_.clear();
}

void ActedElsewhere::Warn(const std::string& output_folder, const Error& why) {
  if (!failed_.insert(output_folder).second) return;
  services_.log(LogLevel::kWarning,
                "what was taken away from " + PrintablePath(output_folder) +
                    " cannot be noted there: " + why.message +
                    "; imgmill verify will miss it (imgmill verify --forget takes it off the record)");
}

}  // namespace imgmill
