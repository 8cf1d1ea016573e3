// Which side-cars work had is filed under its source's path, and says theirs: where sources have another
// place, so has that.
#include "base/path_parts.h"
#include "base/try.h"
#include "catalog/catalog_impl.h"
#include "catalog/sidecar_lines.h"
#include "imgmill/catalog/finished_work.h"

namespace imgmill {

Status Catalog::Impl::MoveSidecars(std::string_view from, std::string_view to) {
  const int64_t fact = NameId(kSidecarsFact, false);
  if (fact == 0) return {};
  const std::string first = std::string(from) + '/', end = std::string(from) + '0';  // as in MoveRows
  const auto now_at = [&](const std::string& path) {
    return path.starts_with(first) ? std::string(to) + path.substr(from.size()) : path;
  };
  Statement with_sidecars = TRY(database.Prepare(
      "SELECT DISTINCT n.name, w.source FROM names n CROSS JOIN work w ON w.fingerprint = n.id "
      "WHERE instr(n.name, ?1) > 0 AND w.source > ?2 AND w.source < ?3"));
  Statement::Use sources(with_sidecars);
  sources.Blob(kWithSidecars).Blob(first).Blob(end);
  return database.ForEachRow(sources, "find side-cars", [&](const Statement::Use& row) -> Status {
    const std::string fingerprint(row.BlobAt(0)), source(row.BlobAt(1));
    const std::optional<ContentDigest> before = SidecarsKey(source, fingerprint);
    const std::optional<ContentDigest> now = SidecarsKey(now_at(source), fingerprint);
    if (!before || !now) return {};
    std::string lines;
    {
      Statement::Use use(find_fact);
      if (use.Integer(fact).Blob(Bytes(*before)); !Row(use, "find side-cars")) return {};
      for (FinishedWork::SourceSidecar& sidecar : ReadSidecarLines(use.BlobAt(0))) {
        sidecar.path = now_at(sidecar.path);
        lines.append(SidecarLine(sidecar));
      }
    }
    Statement::Use use(put_fact);
    use.Integer(fact).Blob(Bytes(*now)).Blob(lines);
    return Ran(use, "put side-cars");
  });
}

}  // namespace imgmill
