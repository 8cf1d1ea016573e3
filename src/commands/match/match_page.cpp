// A group a query, of which the query is the first.
#include "match_page.h"

#include <filesystem>

#include "base/try.h"
#include "commands/export_target.h"
#include "commands/page_failures.h"
#include "commands/page_pictures.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/report/group_page.h"
#include "imgmill/report/report_page.h"

namespace imgmill {
namespace {

/// A query in words has no file.
bool IsText(const MatchQuery& query) {
  return query.absolute.empty();
}

class MatchPage {
 public:
  MatchPage(const std::string& file, const DescribedMatches& matches, const PagePictures& pictures,
            PageFailures failed)
      : page_folder_(FolderOfPage(file)),
        matches_(matches),
        pictures_(pictures),
        failed_(std::move(failed)) {}

  Status Write(const TextSink& put) const {
    GroupPageWriter page({"imgmill match", false, {}, {}, failed_}, put);
    TRY(page.Begin());
    const auto each = [&](const MatchQuery& query, const std::vector<Neighbour>& nearest) {
      return PutQuery(query, nearest, page);
    };
    TRY(matches_.ForEachQuery(each));
    return page.End({});
  }

 private:
  Status PutQuery(const MatchQuery& query, const std::vector<Neighbour>& nearest,
                  GroupPageWriter& page) const {
    const PagePicture of_query = IsText(query) ? PagePicture() : pictures_.OfFile(query.path);
    TRY(page.BeginGroup(PrintablePath(query.path) + (nearest.empty() ? ": nothing was found" : "")));
    GroupImage asked = Described(query.path, of_query);
    if (IsText(query)) asked.link.clear();
    TRY(page.Image(asked));
    const auto put_match = [&](size_t, float similarity, const std::string& path) {
      GroupImage image = Described(path, pictures_.OfFile(path));
      image.how = "similarity " + SimilarityText(similarity);
      image.far = 1 - static_cast<double>(similarity);
      return page.Image(image);
    };
    TRY(matches_.ForEachMatch(nearest, put_match));
    TRY(page.EndImages());
    TRY(page.Picture(query.path, of_query.jpeg));
    const auto put_picture = [&](size_t, float, const std::string& path) {
      return page.Picture(path, pictures_.OfFile(path).jpeg);
    };
    TRY(matches_.ForEachMatch(nearest, put_picture));
    return page.EndGroup();
  }

  GroupImage Described(const std::string& path, const PagePicture& picture) const {
    GroupImage image;
    image.path = PrintablePath(path);
    image.link = LinkFrom(page_folder_, path);
    image.width = picture.width;
    image.height = picture.height;
    std::error_code none;
    const auto bytes = std::filesystem::file_size(path, none);
    image.bytes = none ? 0 : static_cast<int64_t>(bytes);
    return image;
  }

  const std::string page_folder_;
  const DescribedMatches& matches_;
  const PagePictures& pictures_;
  const PageFailures failed_;
};

}  // namespace

Status WriteMatchPage(const std::string& file, const DescribedMatches& matches,
                      const CommandServices& services, Catalog& own, CommandResult& result) {
  CommandServices leaving_no_trace = services;
  leaving_no_trace.catalog = &own;
  const PagePictures pictures(matches.queries.size() + matches.found.count, leaving_no_trace);
  FileTable files;
  std::vector<bool> listed(matches.found.images.size());
  const auto add = [&](const std::string& path) {
    ListedFile one;
    one.path = one.relative = path;
    files.Add(one);
  };
  const auto add_all = [&](const MatchQuery& query, const std::vector<Neighbour>& nearest) -> Status {
    if (!IsText(query)) add(query.path);
    for (const Neighbour& each : nearest) {
      if (listed[each.id]) continue;
      listed[each.id] = true;
      const std::string path = TRY(matches.found.images.At(each.id));
      add(path);
    }
    return {};
  };
  TRY(matches.ForEachQuery(add_all));
  TRY(pictures.Make(files, result));
  if (result.counts.interrupted) return {};
  PageFailures failed = TRY(PageFailuresOf(result.failed));
  failed.one = "query", failed.many = "queries";
  const MatchPage page(file, matches, pictures, std::move(failed));
  if (Status written = WriteNamedFile(file, [&](const TextSink& put) { return page.Write(put); }); !written)
    return OfTarget("--html", file, written.error());
  result.details["html"] = PrintablePath(file);
  return {};
}

}  // namespace imgmill
