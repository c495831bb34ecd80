/* One file of a model: written as NAME.part, checked, made durable, then called NAME. */
#ifndef ED_DOWNLOAD_H
#define ED_DOWNLOAD_H

#include "hub/listing.h"
#include "hub/transfer.h"

/* GET endpoint + url_path into folder/file->name, whose module folder is made if need be. A file
 * that is there and whole is left alone; a NAME.part is gone on with. CHECKSUM: the bytes are not
 * the listed ones and were thrown away. */
embedd_status ed_download_file(ed_transfer *transfer, const char *url_path, const char *folder,
                               const ed_listed_file *file, const ed_hub_watcher *watcher,
                               embedd_error *err);

#endif
