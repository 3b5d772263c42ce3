// Command trivydb writes a database that Trivy scans with: trivydb ADVISORIES.json FOLDER.
// FOLDER gets trivy.db and metadata.json; Trivy looks for both in CACHE/db.
package main

import (
	"encoding/json"
	"log"
	"os"
	"time"

	"github.com/aquasecurity/trivy-db/pkg/db"
	"github.com/aquasecurity/trivy-db/pkg/metadata"
	"github.com/aquasecurity/trivy-db/pkg/types"
	bolt "go.etcd.io/bbolt"
)

type document struct {
	Sources map[string]struct {
		ID, Name, URL string
	}
	Advisories []struct {
		CVE, Bucket, Package, Fixed string
		Vulnerable, Patched         []string
	}
	Severities map[string][2]string // CVE → severity, title
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: trivydb ADVISORIES.json FOLDER")
	}
	if err := build(os.Args[1], os.Args[2]); err != nil {
		log.Fatal(err)
	}
}

func build(file, folder string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var given document
	if err := json.Unmarshal(text, &given); err != nil {
		return err
	}
	if err := db.Init(folder); err != nil {
		return err
	}
	config := db.Config{}
	if err := config.BatchUpdate(func(tx *bolt.Tx) error { return fill(tx, config, given) }); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	now := time.Now().UTC()
	return metadata.NewClient(folder).Update(metadata.Metadata{
		Version: db.SchemaVersion, UpdatedAt: now, NextUpdate: now.AddDate(0, 0, 1), DownloadedAt: now,
	})
}

func fill(tx *bolt.Tx, config db.Config, given document) error {
	for bucket, source := range given.Sources {
		found := types.DataSource{ID: types.SourceID(source.ID), Name: source.Name, URL: source.URL}
		if err := config.PutDataSource(tx, bucket, found); err != nil {
			return err
		}
	}
	for _, one := range given.Advisories {
		advisory := types.Advisory{
			FixedVersion: one.Fixed, VulnerableVersions: one.Vulnerable, PatchedVersions: one.Patched,
		}
		if err := config.PutAdvisory(tx, []string{one.Bucket, one.Package}, one.CVE, &advisory); err != nil {
			return err
		}
	}
	for cve, said := range given.Severities {
		severity, err := types.NewSeverity(said[0])
		if err != nil {
			return err
		}
		found := types.Vulnerability{
			Title: said[1], Severity: said[0], VendorSeverity: types.VendorSeverity{"nvd": severity},
		}
		if err := config.PutVulnerability(tx, cve, found); err != nil {
			return err
		}
		if err := config.PutVulnerabilityID(tx, cve); err != nil {
			return err
		}
	}
	return nil
}
